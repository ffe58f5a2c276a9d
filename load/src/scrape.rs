//! The server's own figures, read as Prometheus does.

use std::{net::SocketAddr, time::Duration};

use eyre::{ContextCompat, WrapErr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Time for one scrape. The page is some ten kilobytes and made in milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n";

/// Seconds that the proving workers had a job, summed over them.
pub(crate) async fn busy_seconds(metrics: SocketAddr) -> eyre::Result<f64> {
    let page = timeout(PATIENCE, page(metrics)).await.wrap_err("a scrape took too long")??;
    value(&page, r#"proof_server_worker_busy_seconds_total{task="prove"}"#)
}

async fn page(metrics: SocketAddr) -> eyre::Result<String> {
    let mut stream = TcpStream::connect(metrics).await.wrap_err("cannot reach /metrics")?;
    stream.write_all(REQUEST).await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}

fn value(page: &str, series: &str) -> eyre::Result<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    let line = line.wrap_err_with(|| format!("/metrics has no {series}"))?;
    line.trim().parse().wrap_err_with(|| format!("{series} is no number: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_found_by_its_whole_name() {
        let page = "# HELP a text\na_total{task=\"prove\"} 3.25\na_total{task=\"verify\"} 1\n";
        assert_eq!(value(page, "a_total{task=\"prove\"}").unwrap(), 3.25);
        let error = value(page, "b_total").unwrap_err();
        assert_eq!(error.to_string(), "/metrics has no b_total");
    }
}
