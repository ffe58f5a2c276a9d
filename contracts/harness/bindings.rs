//! The contracts' types and functions, from the committed artifacts.

#![allow(missing_docs, reason = "generated; the NatSpec in src/ describes them")]

alloy_sol_types::sol!(
    #[sol(all_derives)]
    EthereumLightClient,
    "artifacts/EthereumLightClient.json"
);

alloy_sol_types::sol!(
    #[sol(all_derives)]
    StandInVerifier,
    "artifacts/StandInVerifier.json"
);

alloy_sol_types::sol!(
    #[sol(all_derives)]
    SupplyMirror,
    "artifacts/SupplyMirror.json"
);

alloy_sol_types::sol!(
    #[sol(all_derives)]
    SP1Verifier,
    "artifacts/SP1Verifier.json"
);

alloy_sol_types::sol!(
    #[sol(all_derives)]
    SP1VerifierPlonk,
    "artifacts/SP1VerifierPlonk.json"
);
