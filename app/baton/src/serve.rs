//! `serve`: the pages and the API, until told to stop.

use std::process::ExitCode;

use anyhow::Context;
use axum::serve::ListenerExt;
use baton_desk::App;
use clap::Args;
use tokio::net::TcpListener;

use crate::installation::Where;
use crate::vehicle::ToCentre;

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    at: Where,
    /// Address to listen on.
    #[arg(long, env = "BATON_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Take HL7 v2 messages by MLLP at this address too. MLLP has no sign-in: let only those reach it who may speak.
    #[arg(long, env = "BATON_MLLP", value_name = "ADDRESS")]
    mllp: Option<String>,
    /// Where the public reaches this installation, such as https://baton.example: printed into the QR codes of reports.
    #[arg(long, env = "BATON_PUBLIC_ADDRESS")]
    public_address: Option<String>,
    #[command(flatten)]
    to_centre: ToCentre,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let held = self.at.hold()?;
        let app = held.app.clone();
        if let Some(address) = &self.public_address {
            app.set_public_address(address).map_err(anyhow::Error::msg)?;
        }
        // Every read of a store stays outside async code.
        let any = app.ledger.read(|tx| Ok(baton_desk::accounts::store::any_account(tx)?))?;
        let sender = self.to_centre.sender(&self.at, &app)?;
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(async {
            let listener = TcpListener::bind(&self.listen).await.with_context(|| self.listen.clone())?;
            announce(&app, &listener, any)?;
            if let Some(address) = &self.mllp {
                let messages = TcpListener::bind(address).await.with_context(|| address.clone())?;
                println!("HL7 messages by MLLP at {}", messages.local_addr()?);
                tokio::spawn(baton_exchange::hl7::mllp::listen(app.clone(), messages, stop_signal()));
            }
            if let Some(sender) = sender {
                tokio::spawn(sender.run(stop_signal()));
            }
            tokio::spawn(baton_outlook::keep_foretelling(app.clone(), stop_signal()));
            serve(&app, listener, stop_signal()).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

fn announce(app: &App, listener: &TcpListener, any_account: bool) -> anyhow::Result<()> {
    println!("Baton serves http://{}", listener.local_addr()?);
    if !any_account {
        println!("First run: open /setup and enter the setup code {}", app.setup_token);
    }
    Ok(())
}

/// Serves until `stop` resolves, then lets requests in flight finish.
pub(crate) async fn serve(app: &App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    let boards = app.clone();
    let stop = async move {
        stop.await;
        boards.close_boards();
    };
    axum::serve(listener, baton_desk::router(app)).with_graceful_shutdown(stop).await.context("serving")
}

pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
