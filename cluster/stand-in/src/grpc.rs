//! The calls, by their paths.

use std::{
    convert::Infallible,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use sp1_sdk::network::proto::{
    artifact::{CreateArtifactRequest, CreateArtifactResponse},
    base_types::{
        CreateProgramRequest, CreateProgramResponse, ExecutionStatus, FulfillmentStatus,
        GetNonceRequest, GetNonceResponse, GetProgramRequest, GetProgramResponse,
        GetProofRequestStatusRequest, GetProofRequestStatusResponse, Program, RequestProofRequest,
        RequestProofResponse, RequestProofResponseBody,
    },
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::{Body as HttpBody, BoxFuture, Service, StdError, http},
    server::{Grpc, NamedService, UnaryService},
    transport::Server,
};
use tonic_prost::ProstCodec;

use crate::state::{Outcome, State};

pub(crate) async fn serve(listener: TcpListener, state: Arc<State>) {
    let network = Calls::<Network>(Arc::clone(&state), PhantomData);
    let store = Calls::<Store>(state, PhantomData);
    let server = Server::builder().add_service(network).add_service(store);
    let _ = server.serve_with_incoming(TcpListenerStream::new(listener)).await;
}

#[derive(Debug)]
struct Network;

#[derive(Debug)]
struct Store;

impl NamedService for Calls<Network> {
    const NAME: &'static str = "network.ProverNetwork";
}

impl NamedService for Calls<Store> {
    const NAME: &'static str = "artifact.ArtifactStore";
}

/// All calls; under two names, because two services share a port.
struct Calls<N>(Arc<State>, PhantomData<fn() -> N>);

impl<N> Clone for Calls<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

/// One call.
struct Call<F>(Arc<State>, F);

impl<F, In, Out> UnaryService<In> for Call<F>
where
    F: FnMut(&Arc<State>, In) -> Result<Out, Status>,
    Out: Send + 'static,
{
    type Response = Out;
    type Future = BoxFuture<Response<Out>, Status>;

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let authorization = request.metadata().get("authorization");
        let admitted = self.0.admit(authorization.and_then(|text| text.to_str().ok()));
        let answer = admitted.and_then(|()| (self.1)(&self.0, request.into_inner()));
        Box::pin(async move { answer.map(Response::new) })
    }
}

impl<N, B> Service<http::Request<B>> for Calls<N>
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let state = Arc::clone(&self.0);
        Box::pin(async move {
            let name = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
            macro_rules! unary {
                ($call:expr) => {
                    Grpc::new(ProstCodec::default()).unary(Call(state, $call), request).await
                };
            }
            Ok(match name.as_str() {
                "GetNonce" => unary!(nonce),
                "GetProgram" => unary!(get_program),
                "CreateProgram" => unary!(create_program),
                "CreateArtifact" => unary!(create_artifact),
                "RequestProof" => unary!(request_proof),
                "GetProofRequestStatus" => unary!(status),
                _ => Status::unimplemented(name).into_http(),
            })
        })
    }
}

fn nonce(_: &Arc<State>, _: GetNonceRequest) -> Result<GetNonceResponse, Status> {
    Ok(GetNonceResponse { nonce: 1 })
}

fn get_program(
    state: &Arc<State>,
    request: GetProgramRequest,
) -> Result<GetProgramResponse, Status> {
    let vk_hash = request.vk_hash;
    if !state.lock().programs.contains(&vk_hash) {
        return Err(Status::not_found("no such program"));
    }
    Ok(GetProgramResponse { program: Some(Program { vk_hash, ..Program::default() }) })
}

fn create_program(
    state: &Arc<State>,
    request: CreateProgramRequest,
) -> Result<CreateProgramResponse, Status> {
    let body = request.body.ok_or_else(|| Status::invalid_argument("no body"))?;
    let mut told = state.lock();
    if !told.artifacts.contains_key(&body.program_uri) || request.signature.len() != 65 {
        return Err(Status::invalid_argument("no program or no signature"));
    }
    told.programs.insert(body.vk_hash);
    Ok(CreateProgramResponse::default())
}

fn create_artifact(
    state: &Arc<State>,
    _: CreateArtifactRequest,
) -> Result<CreateArtifactResponse, Status> {
    let name = state.name();
    Ok(CreateArtifactResponse { artifact_uri: name.clone(), artifact_presigned_url: name })
}

fn request_proof(
    state: &Arc<State>,
    request: RequestProofRequest,
) -> Result<RequestProofResponse, Status> {
    let body = request.body.ok_or_else(|| Status::invalid_argument("no body"))?;
    let input = state.input(&body.stdin_uri);
    let mut told = state.lock();
    if !told.programs.contains(&body.vk_hash) || request.signature.len() != 65 {
        return Err(Status::failed_precondition("no such program, or no signature"));
    }
    told.requests.push((body.clone(), input.clone()));
    let mut request_id = vec![0; 32];
    request_id[31] = u8::try_from(told.requests.len()).unwrap_or(u8::MAX);
    drop(told);
    make(Arc::clone(state), request_id.clone(), body.vk_hash, input.unwrap_or_default());
    Ok(RequestProofResponse {
        tx_hash: vec![0; 32],
        body: Some(RequestProofResponseBody { request_id }),
    })
}

fn status(
    state: &Arc<State>,
    request: GetProofRequestStatusRequest,
) -> Result<GetProofRequestStatusResponse, Status> {
    let (asked, body, made) = {
        let mut told = state.lock();
        let index = usize::from(*request.request_id.last().unwrap_or(&0));
        let found = told.requests.get(index.wrapping_sub(1)).cloned();
        let (body, _) = found.ok_or_else(|| Status::not_found("no such request"))?;
        let made = told.made.get(&request.request_id).cloned();
        let asked = told.asked.entry(request.request_id).or_insert(0);
        *asked += 1;
        (*asked, body, made)
    };
    let mut answer = GetProofRequestStatusResponse {
        fulfillment_status: FulfillmentStatus::Requested.into(),
        execution_status: ExecutionStatus::Unexecuted.into(),
        deadline: body.deadline,
        ..GetProofRequestStatusResponse::default()
    };
    if asked <= state.script.waits {
        return Ok(answer);
    }
    let mut end = |status: FulfillmentStatus| answer.fulfillment_status = status.into();
    match &state.script.outcome {
        // Assigned once, so that this too is seen.
        _ if asked == state.script.waits + 1 => end(FulfillmentStatus::Assigned),
        Outcome::Never => end(FulfillmentStatus::Assigned),
        Outcome::Unfulfillable => end(FulfillmentStatus::Unfulfillable),
        Outcome::Expired => end(FulfillmentStatus::Expired),
        Outcome::Unexecutable => {
            answer.execution_status = ExecutionStatus::Unexecutable.into();
        }
        Outcome::Proof(_) if made.is_none() => end(FulfillmentStatus::Assigned),
        Outcome::Proof(_) => {
            end(FulfillmentStatus::Fulfilled);
            answer.proof_uri = made;
        }
        Outcome::Bytes(bytes) => {
            end(FulfillmentStatus::Fulfilled);
            answer.proof_uri = Some(put(state, bytes.clone()));
        }
    }
    Ok(answer)
}

/// Has the test make its proof, on a thread of its own: calls are answered meanwhile.
fn make(state: Arc<State>, request_id: Vec<u8>, vk_hash: Vec<u8>, input: Vec<u8>) {
    std::thread::spawn(move || {
        let Outcome::Proof(make) = &state.script.outcome else { return };
        let made = bincode::serialize(&make(&vk_hash, &input)).expect("a proof can be encoded");
        let uri = put(&state, made);
        state.lock().made.insert(request_id, uri);
    });
}

fn put(state: &State, bytes: Vec<u8>) -> String {
    let name = state.name();
    state.lock().artifacts.insert(name.clone(), bytes);
    name
}
