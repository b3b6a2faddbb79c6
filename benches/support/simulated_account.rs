//! A simulated account for benchmarks whose clock the benchmark sets, and runtimes with threads of their own.

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use twilio_email_exporter::clock::Clock;
use twilio_email_exporter::simulator::{
    ApiSettings, Handle, Simulator, SimulatorSettings, Traffic, WorldSettings,
};

/// A runtime whose threads have this name.
pub(crate) fn runtime(name: &str, threads: usize) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let builder = builder
        .worker_threads(threads)
        .thread_name(name)
        .enable_all();
    builder.build().expect("a runtime")
}

/// Serves a simulated account with this traffic on a free port. Returns also its base URL.
pub(crate) fn simulate(
    runtime: &Runtime,
    clock: &Clock,
    traffic: Option<Traffic>,
) -> (Handle, String) {
    let settings = SimulatorSettings {
        world: WorldSettings {
            traffic,
            ..WorldSettings::default()
        },
        api: ApiSettings::default(),
    };
    let of_simulator = clock.clone();
    let simulator = Simulator::new(settings, move || of_simulator.now());
    let handle = simulator.handle();
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async move { simulator.serve(listener, std::future::pending()).await });
    (handle, format!("http://{address}/v1"))
}
