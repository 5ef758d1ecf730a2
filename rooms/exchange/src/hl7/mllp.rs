//! MLLP over TCP: a listener for what comes, a client for what goes. It has no sign-in of its own: let only those reach the
//! address who may speak (a private network, a tunnel).

use std::sync::Arc;
use std::time::Duration;

use baton_desk::App;
use baton_hl7::mllp::{Frames, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::door::receive;

/// Connections at once; one more is closed at once.
const CONNECTIONS_MAX: usize = 32;
/// A connection that says nothing for so long is closed.
const SILENCE: Duration = Duration::from_secs(300);
/// A peer that does not take its answer for so long is given up.
const ANSWER_TAKEN: Duration = Duration::from_secs(30);

/// Takes messages until `stop` resolves.
pub async fn listen(app: App, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "MLLP: a connection did not come about");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(%from, "MLLP: all {CONNECTIONS_MAX} places are taken");
            continue;
        };
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = serve(&app, stream).await {
                tracing::warn!(%from, %error, "MLLP: the connection ended");
            }
            drop(place);
        });
    }
}

async fn serve(app: &App, mut stream: TcpStream) -> std::io::Result<()> {
    let mut frames = Frames::default();
    let mut piece = vec![0; 16 << 10];
    loop {
        while let Some(message) = frames.take().map_err(std::io::Error::other)? {
            let taken = receive(app, message).await;
            tokio::time::timeout(ANSWER_TAKEN, stream.write_all(&frame(&taken.answer))).await.map_err(std::io::Error::other)??;
        }
        let read = tokio::time::timeout(SILENCE, stream.read(&mut piece)).await.map_err(std::io::Error::other)??;
        if read == 0 {
            return Ok(());
        }
        frames.push(&piece[..read]);
    }
}

/// Sends messages one after the other over one connection; each answer as it came.
pub async fn send(to: &str, messages: &[String], patience: Duration) -> std::io::Result<Vec<String>> {
    let late = |_| std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {} s", patience.as_secs()));
    let mut stream = tokio::time::timeout(patience, TcpStream::connect(to)).await.map_err(late)??;
    let (mut frames, mut piece, mut answers) = (Frames::default(), vec![0; 16 << 10], Vec::new());
    for message in messages {
        stream.write_all(&frame(message)).await?;
        let answer = loop {
            if let Some(answer) = frames.take().map_err(std::io::Error::other)? {
                break answer;
            }
            let read = tokio::time::timeout(patience, stream.read(&mut piece)).await.map_err(late)??;
            if read == 0 {
                return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the other side closed before it answered"));
            }
            frames.push(&piece[..read]);
        };
        answers.push(String::from_utf8_lossy(&answer).into_owned());
    }
    Ok(answers)
}
