// Draws the page's charts: what they show was decided when the page was made. It reads numbers and names from the
// data block and hands them to the canvas as text; nothing of them becomes markup.
"use strict";
(() => {
  const charts = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const narrow = matchMedia("(max-width: 40rem)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]];
  const marks = ["circle", "rect", "triangle", "rectRot"];
  // A phase has its colour in every chart; what none accounts for is grey.
  const phases = ["setup", "check", "execute", "core", "compress", "shrink", "wrap", "outer"];
  const alike = { queue: "execute", prove: "core" };
  const drawn = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

  const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  const axis = (of, more) => ({
    title: { display: of.title !== "", text: of.title, color: colour("--dim") },
    grid: { color: colour("--line") },
    ticks: { color: colour("--dim"), maxRotation: 60, autoSkipPadding: 16 },
    ...more,
  });

  const numeric = (of, more) => ({
    ...axis(of, more),
    type: of.log ? "logarithmic" : "linear",
    ticks: { color: colour("--dim"), maxRotation: 0, autoSkipPadding: 16, callback: (value) => number.format(value) },
  });

  const dataset = (chart, series, index) => {
    const line = colour(`--c${index % 8}`);
    const label = short(series.name, narrow.matches ? 40 : 80);
    if (chart.kind === "stack") {
      const data = chart.categories.map(() => 0);
      for (const [place, value] of series.points) data[place] = value;
      const place = phases.indexOf(alike[series.name] ?? series.name);
      const fill = series.name === "other" ? colour("--dim") : place < 0 ? line : colour(`--c${place}`);
      return { label, data, backgroundColor: fill, borderColor: colour("--panel"), borderWidth: 1 };
    }
    const history = chart.kind === "history";
    const data = history ? chart.categories.map(() => null) : series.points.map(([x, y]) => ({ x, y }));
    if (history) for (const [place, value] of series.points) data[place] = value;
    const steps = chart.kind === "steps";
    const curve = steps || chart.kind === "line";
    return {
      label, data, borderColor: line, backgroundColor: line, borderWidth: 2,
      borderDash: dashes[Math.floor(index / 8) % 4].length ? dashes[Math.floor(index / 8) % 4] : dashes[index % 4],
      pointStyle: marks[index % 4], pointRadius: curve ? 0 : 4, pointHitRadius: 8, stepped: steps && "before",
    };
  };

  const config = (chart) => {
    const stack = chart.kind === "stack";
    const labels = chart.categories.map((lines) => lines.map((line) => short(line, narrow.matches ? 18 : 32)));
    const named = { type: "category", labels };
    const scales = stack
      ? { x: numeric(chart.x, { stacked: true, beginAtZero: true }), y: axis(chart.y, { ...named, stacked: true }) }
      : {
          x: chart.kind === "history" ? axis(chart.x, named) : numeric(chart.x),
          y: numeric(chart.y, { beginAtZero: !chart.y.log, ...(chart.kind === "steps" ? { max: 100 } : {}) }),
        };
    return {
      type: stack ? "bar" : "line",
      data: { labels, datasets: chart.series.map((series, index) => dataset(chart, series, index)) },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, indexAxis: stack ? "y" : "x", scales,
        interaction: { mode: chart.kind === "line" || chart.kind === "steps" ? "nearest" : "index", axis: stack ? "y" : "x", intersect: false },
        plugins: {
          legend: {
            display: chart.series.length > 1 || !stack, position: "bottom",
            labels: { color: colour("--text"), usePointStyle: !stack, pointStyle: stack ? undefined : "line", boxWidth: stack ? 12 : 32 },
          },
          tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${number.format(stack ? item.parsed.x : item.parsed.y)}` } },
        },
      },
    };
  };

  const draw = () => {
    while (drawn.length) drawn.pop().destroy();
    charts.forEach((chart, index) => {
      const canvas = document.getElementById(`chart-${index}`);
      if (chart.kind === "stack") {
        const lines = chart.categories.reduce((sum, category) => sum + category.length + 1, 0);
        canvas.parentElement.style.height = `${Math.max(12, 8 + lines * 1.1)}rem`;
      }
      Chart.defaults.font.size = narrow.matches ? 11 : 12;
      drawn.push(new Chart(canvas, config(chart)));
    });
  };

  const button = document.getElementById("theme");
  const name = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* A file may have no storage. */ } };
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const asked = new URLSearchParams(location.hash.slice(1)).get("theme") ?? remembered();
  if (asked === "light" || asked === "dark") root.dataset.theme = asked;
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    name();
    draw();
  });
  const redraw = () => { name(); draw(); };
  dark.addEventListener("change", redraw);
  narrow.addEventListener("change", redraw);
  redraw();
})();
