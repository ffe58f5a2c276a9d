//! The requests' spans, for an OpenTelemetry collector.

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::{Exit, Fault};

/// How long one batch may take to be taken by the collector.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// What has the spans that are not sent yet.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// A layer that sends spans to the collector at `endpoint`, for example `http://collector:4318`. It sends in
/// batches on a thread of its own; what the collector does not take is dropped, and nothing waits for it.
pub(super) fn layer<S>(endpoint: &str) -> Result<impl Layer<S>, Fault>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| {
            let message = format!("--otlp: `{endpoint}` ({error}): give http://HOST:PORT");
            Fault::new(Exit::Usage, message)
        })?;
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("proof-server").with_attribute(version);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource.build())
        .build();
    let tracer = provider.tracer("proof-server");
    let _ = PROVIDER.set(provider);
    let ours =
        filter_fn(|metadata| metadata.is_span() && metadata.target().starts_with("proof_server"));
    Ok(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours))
}

/// Sends what is left.
pub(super) fn finish() {
    if let Some(provider) = PROVIDER.get() {
        let _ = provider.shutdown_with_timeout(EXPORT_TIMEOUT);
    }
}
