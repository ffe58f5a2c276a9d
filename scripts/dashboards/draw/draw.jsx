// Draws one dashboard from what its queries gave, with Grafana's own components. Bundled with the dashboard and the
// answers in `window.dashboard` and `window.kept`.
//
// What a Grafana server would do around the components is done here: legends' templates, overrides, the two
// transformations that the tables have. The heatmap's panel is no part of @grafana/ui: its cells are painted into
// Grafana's own plot.

import React from 'react';
import { createRoot } from 'react-dom/client';
import {
  applyFieldOverrides, createTheme, dateTime, FieldType, getDisplayProcessor, reduceField, sortDataFrame, standardTransformersRegistry,
  standardTransformers, ThemeContext, toDataFrame, transformDataFrame,
} from '@grafana/data';
import { AxisPlacement, BigValue, GlobalStyles, PanelChrome, ScaleDirection, ScaleOrientation, Table, TimeSeries, UPlotChart, UPlotConfigBuilder } from '@grafana/ui';
import { set } from 'lodash';
import { lastValueFrom } from 'rxjs';

const WIDTH = 1600;
const ROW = 38; // Grafana's grid: 30 pixels and a margin of 8.
const GAP = 8;
const theme = createTheme({ colors: { mode: 'light' } });
const { dashboard, kept } = window;
const answers = kept.boards[dashboard.uid.replace('proof-', '')];
const range = { from: dateTime(kept.start * 1000), to: dateTime(kept.end * 1000), raw: { from: 'now-5m', to: 'now' } };

standardTransformersRegistry.setInit(() =>
  // Some are there under an old name too.
  [...new Map(Object.values(standardTransformers).map((one) => [one.id, one])).values()].map((transformation) => ({ id: transformation.id, name: transformation.name, transformation }))
);

function legend(template, labels) {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label) => labels[label] ?? '');
}

function number(text) {
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function series(target, answer) {
  const samples = answer.values ?? [answer.value];
  const name = legend(target.legendFormat, answer.metric);
  return toDataFrame({
    refId: target.refId,
    name,
    fields: [
      { name: 'Time', type: FieldType.time, values: samples.map(([time]) => time * 1000), config: {} },
      { name: 'Value', type: FieldType.number, values: samples.map(([, value]) => number(value)), labels: answer.metric, config: { displayName: name } },
    ],
  });
}

function table(target, results, alone) {
  const labels = [...new Set(results.flatMap((answer) => Object.keys(answer.metric)))].filter((label) => label !== '__name__').sort();
  return toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: results.map((answer) => answer.value[0] * 1000) },
      ...labels.map((label) => ({ name: label, type: FieldType.string, values: results.map((answer) => answer.metric[label] ?? '') })),
      { name: alone ? 'Value' : `Value #${target.refId}`, type: FieldType.number, values: results.map((answer) => number(answer.value[1])) },
    ],
  });
}

// A field's settings: the panel's, what the field brings, and the overrides for its name.
function settle(frames, panel) {
  const { defaults, overrides } = panel.fieldConfig;
  for (const frame of frames) {
    for (const field of frame.fields) {
      const own = field.config ?? {};
      field.config = field.type === FieldType.time ? own : { ...structuredClone(defaults), ...own };
      for (const { matcher, properties } of overrides) {
        if ([field.name, own.displayName].includes(matcher.options)) {
          properties.forEach(({ id, value }) => set(field.config, id, value));
        }
      }
    }
  }
  const settled = applyFieldOverrides({ data: frames, fieldConfig: { defaults: {}, overrides: [] }, replaceVariables: (text) => text, theme, timeZone: 'utc' });
  settled.forEach((frame) => frame.fields.forEach((field) => (field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' }))));
  return settled;
}

function all(panel, make) {
  const given = answers.panels[panel.id];
  return panel.targets.flatMap((target) => make(target, given[target.refId] ?? []));
}

function Lines({ panel, width, height }) {
  const frames = settle(all(panel, (target, results) => results.map((answer) => series(target, answer))), panel);
  if (!frames.length) {
    return <p>No data</p>;
  }
  // The numbers beside the names, as the panel's legend asks for them.
  frames.forEach((frame, index) => {
    const field = frame.fields[1];
    field.state = {
      seriesIndex: index,
      displayName: field.config.displayName,
    };
  });
  return <TimeSeries frames={frames} timeRange={range} timeZone="utc" width={width} height={height} legend={panel.options.legend} />;
}

function Stats({ panel, width, height }) {
  const frames = settle(all(panel, (target, results) => results.map((answer) => series(target, answer))), panel);
  const { reduceOptions, colorMode, graphMode, textMode } = panel.options;
  if (!frames.length) {
    return <BigValue value={{ text: panel.fieldConfig.defaults.noValue ?? 'No data', numeric: NaN }} colorMode="value" graphMode="none" width={width} height={height} theme={theme} />;
  }
  const each = width / frames.length;
  return (
    <div style={{ display: 'flex' }}>
      {frames.map((frame, index) => {
        const field = frame.fields[1];
        const calculation = reduceOptions.calcs[0];
        const value = { ...field.display(reduceField({ field, reducers: [calculation] })[calculation]), title: field.config.displayName };
        const sparkline = graphMode === 'area' ? { y: field, x: frame.fields[0] } : undefined;
        return <BigValue key={index} value={value} sparkline={sparkline} colorMode={colorMode} graphMode={graphMode} textMode={textMode} width={each} height={height} theme={theme} />;
      })}
    </div>
  );
}

function Heat({ panel, width, height }) {
  const given = all(panel, (_, results) => results)
    .map((answer) => ({ bound: Number(answer.metric.le === '+Inf' ? Infinity : answer.metric.le), samples: new Map(answer.values.map(([time, value]) => [time, Number(value) || 0])) }))
    .sort((a, b) => a.bound - b.bound);
  const times = [...new Set(given.flatMap((row) => [...row.samples.keys()]))].sort((a, b) => a - b);
  // Buckets count what is up to their bound: the difference to the one below is what is in each.
  const cells = given.map((row, index) => times.map((time) => Math.max(0, (row.samples.get(time) ?? 0) - (index ? given[index - 1].samples.get(time) ?? 0 : 0))));
  const used = cells.map((row, index) => (row.some((count) => count > 1e-9) ? index : -1)).filter((index) => index >= 0);
  const first = Math.max(0, used[0] - 1);
  const last = Math.min(given.length - 1, used[used.length - 1] + 1);
  const rows = cells.slice(first, last + 1);
  const most = Math.max(...rows.flat());
  const show = getDisplayProcessor({ field: { type: FieldType.number, config: { unit: panel.options.yAxis.unit } }, theme, timeZone: 'utc' });
  const name = (bound) => {
    const { text, suffix = '' } = show(bound);
    return Number.isFinite(bound) ? text + suffix : 'more';
  };
  const builder = new UPlotConfigBuilder('utc');
  builder.addScale({ scaleKey: 'x', isTime: true, orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right, range: () => [kept.start * 1000, kept.end * 1000] });
  builder.addScale({ scaleKey: 'y', isTime: false, orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Up, range: () => [0, rows.length] });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, theme, timeZone: 'utc' });
  builder.addAxis({ scaleKey: 'y', placement: AxisPlacement.Left, theme, size: 70, splits: () => rows.map((_, index) => index + 1), values: (_, splits) => splits.map((row) => name(given[first + row - 1].bound)) });
  builder.addSeries({ scaleKey: 'y', theme, pxAlign: false, show: true, lineWidth: 0, drawStyle: 'line', pathBuilder: () => null });
  builder.addHook('draw', (plot) => {
    const step = plot.valToPos(times[1] * 1000, 'x', true) - plot.valToPos(times[0] * 1000, 'x', true);
    rows.forEach((row, index) =>
      row.forEach((count, column) => {
        if (count > 1e-9) {
          const top = plot.valToPos(index + 1, 'y', true);
          const bottom = plot.valToPos(index, 'y', true);
          plot.ctx.fillStyle = `rgba(8, 48, 107, ${0.12 + 0.88 * Math.sqrt(count / most)})`;
          plot.ctx.fillRect(plot.valToPos(times[column] * 1000, 'x', true) - step, top + 1, Math.max(1, step - 1), bottom - top - 2);
        }
      })
    );
  });
  return <UPlotChart width={width} height={height} config={builder} data={[times.map((time) => time * 1000), times.map(() => 0)]} timeRange={range} />;
}

function Rows({ panel, width, height }) {
  const [frame, setFrame] = React.useState();
  React.useEffect(() => {
    const alone = panel.targets.length === 1;
    const frames = all(panel, (target, results) => [table(target, results, alone)]);
    lastValueFrom(transformDataFrame(panel.transformations ?? [], frames)).then(([whole]) => {
      // joinByField and organize name columns as Grafana does; what the field itself is called no longer counts.
      whole.fields.forEach((field) => (field.name = field.config?.displayName ?? field.state?.displayName ?? field.name));
      let settled = settle([whole], panel)[0];
      for (const { displayName, desc } of [...(panel.options.sortBy ?? [])].reverse()) {
        settled = sortDataFrame(settled, settled.fields.findIndex((field) => field.name === displayName), desc);
      }
      setFrame(settled);
    });
  }, []);
  return frame ? <Table data={frame} width={width} height={height} /> : null;
}

const KINDS = { timeseries: Lines, stat: Stats, heatmap: Heat, table: Rows };

function Place({ panel }) {
  const { x, y, w, h } = panel.gridPos;
  const column = (WIDTH - GAP) / 24;
  const box = { position: 'absolute', left: GAP + x * column, top: 40 + y * ROW, width: w * column - GAP, height: h * ROW - GAP };
  if (panel.type === 'row') {
    return <h4 style={{ ...box, margin: 0, lineHeight: '30px' }}>{panel.title}</h4>;
  }
  const Kind = KINDS[panel.type];
  return (
    <div style={box}>
      <PanelChrome width={box.width} height={box.height} title={panel.title} padding="md">
        {(width, height) => <Kind panel={panel} width={width} height={height} />}
      </PanelChrome>
    </div>
  );
}

function Board() {
  const choices = Object.entries(answers.values).map(([name, value]) => `${name}: ${value === '.*' ? 'All' : value}`);
  const bottom = Math.max(...dashboard.panels.map(({ gridPos: { y, h } }) => y + h));
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div id="board" style={{ position: 'relative', width: WIDTH, height: 48 + bottom * ROW, background: theme.colors.background.canvas }}>
        <div style={{ position: 'absolute', left: GAP, top: 8 }}>
          <b style={{ fontSize: 18 }}>{dashboard.title}</b>
          <span style={{ marginLeft: 24 }}>{choices.join('   ·   ')}</span>
        </div>
        {dashboard.panels.map((panel) => (
          <Place key={panel.id} panel={panel} />
        ))}
      </div>
    </ThemeContext.Provider>
  );
}

createRoot(document.getElementById('page')).render(<Board />);
