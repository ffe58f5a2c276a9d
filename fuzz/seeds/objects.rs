//! Light-client objects of every fork, cut to the committee of the target's chain.

use lc_core::{
    Fork, ForkEntry,
    objects::{
        LightClientFinalityUpdate, LightClientOptimisticUpdate, LightClientUpdate, SyncCommittee,
        updates_to_json,
    },
};
use lc_fuzz::ssz_objects::{CHAIN, Format, stream};
use simulator::{Chain, Preset};

use crate::Seeds;

const TARGET: &str = "ssz_objects";

/// A chain that is in another fork in each period, as the target's is.
fn chain() -> Chain {
    let forks: Vec<ForkEntry> = CHAIN.forks.clone();
    let builder = Chain::builder().preset(Preset::Minimal).first_period(0).forks(forks);
    builder.build().expect("the target's forks are in order")
}

fn cut(committee: &mut SyncCommittee) {
    committee.pubkeys.truncate(CHAIN.committee_len());
}

fn update(chain: &Chain, period: u64) -> LightClientUpdate {
    // In the middle of the period the finalized header is of the same fork.
    let slot = chain.first_slot_of(period) + chain.spec().slots_per_period() / 2;
    let mut update = chain.update(period).attested_slot(slot).signature_slot(slot + 1).build();
    cut(&mut update.next_sync_committee);
    update.sync_aggregate.sync_committee_bits.truncate(CHAIN.committee_len() / 8);
    update
}

pub(crate) fn add(seeds: &mut Seeds) {
    let chain = chain();
    let mut updates = Vec::new();
    for (period, fork) in (0..).zip(Fork::ALL) {
        let mut bootstrap = chain.bootstrap(chain.first_slot_of(period) + 8);
        cut(&mut bootstrap.current_sync_committee);
        let update = update(&chain, period);
        let finality = LightClientFinalityUpdate::from(update.clone());
        let optimistic = LightClientOptimisticUpdate {
            attested_header: update.attested_header.clone(),
            sync_aggregate: update.sync_aggregate.clone(),
            signature_slot: update.signature_slot,
        };
        let fork = fork.name();
        let mut object = |number: u8, name: &str, ssz: Vec<u8>, json: String| {
            seed(seeds, Format::Ssz, number, format!("{name}-{fork}.ssz"), ssz);
            seed(seeds, Format::File, number, format!("{name}-{fork}.json"), json.into_bytes());
        };
        object(0, "bootstrap", bootstrap.to_ssz(&CHAIN), bootstrap.to_json(&CHAIN));
        object(1, "update", update.to_ssz(&CHAIN), update.to_json(&CHAIN));
        object(2, "finality-update", finality.to_ssz(&CHAIN), finality.to_json(&CHAIN));
        object(3, "optimistic-update", optimistic.to_ssz(&CHAIN), optimistic.to_json(&CHAIN));
        updates.push(update);
    }
    let committee = updates[0].next_sync_committee.to_ssz();
    seed(seeds, Format::Ssz, 4, "committee.ssz".into(), committee);
    let ends = [updates[0].clone(), updates[updates.len() - 1].clone()];
    seed(seeds, Format::File, 1, "updates.stream".into(), stream(&ends));
    let json = updates_to_json(&CHAIN, &ends).into_bytes();
    seed(seeds, Format::File, 1, "updates.json".into(), json);
    let one = updates[0].to_json(&CHAIN).into_bytes();
    seed(seeds, Format::Json, 1, "update.json".into(), one);
    let error = br#"{"code":404,"message":"no such update"}"#.to_vec();
    seed(seeds, Format::Json, 1, "no-answer.json".into(), error);
}

fn seed(seeds: &mut Seeds, format: Format, object: u8, name: String, bytes: Vec<u8>) {
    seeds.add(TARGET, name, [vec![format.first_byte(object)], bytes].concat());
}
