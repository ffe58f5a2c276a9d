//! The store: PUT and GET of bytes by name, over HTTP/1.1.

use std::{convert::Infallible, sync::Arc};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::HOST,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::state::State;

pub(crate) async fn serve(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(Arc::clone(&state), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = format!("http://{host}{}", request.uri().path());
    let (status, body) = if request.method() == Method::PUT {
        let body = request.into_body().collect().await;
        let body = body.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        state.lock().artifacts.insert(name, body);
        (StatusCode::OK, Vec::new())
    } else {
        let found = state.lock().artifacts.get(&name).cloned();
        found.map_or((StatusCode::NOT_FOUND, Vec::new()), |body| (StatusCode::OK, body))
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    Ok(response)
}
