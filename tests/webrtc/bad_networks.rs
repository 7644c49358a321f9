//! Calls over networks that lose, delay, repeat and change.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::sleep;

use crate::{
    caller::Caller,
    network::Network,
    relay::{Script, relay},
    server::Server,
    talking::{gone, recording},
};

async fn network(relay: &Server) -> Network {
    let address = relay.context.calls.as_ref().unwrap().candidates()[0];
    Network::to(address).await
}

/// Asks a question and waits for the answer.
async fn converse(caller: &mut Caller) {
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.started").await;
    caller.until("output_audio_buffer.stopped").await;
}

#[tokio::test]
async fn a_call_goes_on_while_the_network_loses_delays_and_repeats() {
    let relay = relay(Script::default()).await;
    let network = network(&relay).await;
    let mut caller = Caller::call_through(&relay.url, &relay.key, &network).await;
    network.weather.loss.store(20, Ordering::Relaxed);
    network.weather.jitter.store(200, Ordering::Relaxed);
    network.weather.twice.store(true, Ordering::Relaxed);
    converse(&mut caller).await;
}

#[tokio::test]
async fn a_call_survives_an_outage_of_three_seconds() {
    let relay = relay(Script::default()).await;
    let network = network(&relay).await;
    let mut caller = Caller::call_through(&relay.url, &relay.key, &network).await;
    network.weather.down.store(true, Ordering::Relaxed);
    sleep(Duration::from_secs(3)).await;
    network.weather.down.store(false, Ordering::Relaxed);
    converse(&mut caller).await;
}

#[tokio::test]
async fn a_call_survives_that_its_client_moves_to_another_address() {
    let relay = relay(Script::default()).await;
    let network = network(&relay).await;
    let mut caller = Caller::call_through(&relay.url, &relay.key, &network).await;
    converse(&mut caller).await;
    network.move_on();
    converse(&mut caller).await;
}

#[tokio::test]
async fn a_client_that_vanishes_frees_its_place() {
    let relay = relay(Script::default()).await;
    let network = network(&relay).await;
    let caller = Caller::call_through(&relay.url, &relay.key, &network).await;
    network.weather.down.store(true, Ordering::Relaxed);
    assert_eq!(relay.context.engine.admission.list().len(), 1);
    gone(&relay).await;
    drop(caller);
}
