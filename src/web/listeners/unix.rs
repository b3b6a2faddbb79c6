//! Unix sockets. The file that a dead process left is replaced. The socket of a live process and other files never are.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::time::timeout;

use super::bound::{Bound, BoundAddress, problem};
use crate::web::connections::{Accepted, ClientAddress, Listener};

/// Who may connect: the exporter's user and group. The group is for a reverse proxy; others have no access.
const MODE: u32 = 0o660;
/// Connections that wait to be accepted, as many as of TCP.
const BACKLOG: u32 = 1024;
/// A socket on this machine accepts or refuses immediately; one whose process has too many waiting connections does neither.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const CHOOSE: &str = "Choose another path, or remove it.";

/// A socket that removes its file when it is dropped.
struct OwnSocket {
    listener: UnixListener,
    _file: SocketFile,
}

/// The file of a socket. Dropping it removes the file, unless another process has replaced it.
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Binds a socket at `path`.
pub(super) async fn bind(path: &Path) -> Result<Vec<Bound>, String> {
    make_room(path).await?;
    let bound = bind_new(path).map_err(|error| {
        let cure = "Create the directory, and let the exporter's user write to it.";
        problem(&error, cure)
    })?;
    Ok(vec![Bound {
        listener: Box::new(bound),
        address: BoundAddress::Unix(Some(path.to_owned())),
    }])
}

/// Removes the socket of a dead process.
async fn make_room(path: &Path) -> Result<(), String> {
    let Ok(existing) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !existing.file_type().is_socket() {
        return Err(format!("the file exists and is no socket. {CHOOSE}"));
    }
    let connected = timeout(CONNECT_TIMEOUT, UnixStream::connect(path)).await;
    match connected {
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| problem(&error, CHOOSE))
        }
        Ok(Err(error)) if error.kind() == ErrorKind::NotFound => Ok(()),
        Ok(Err(error)) => Err(problem(&error, CHOOSE)),
        Ok(Ok(_)) | Err(_) => {
            let cure = "Stop the other process (`ss -lxp` shows it), or choose another path.";
            Err(problem(&ErrorKind::AddrInUse.into(), cure))
        }
    }
}

/// Nobody can connect before the mode is set, because the socket does not listen yet.
fn bind_new(path: &Path) -> io::Result<OwnSocket> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    let metadata = fs::symlink_metadata(path)?;
    let file = SocketFile {
        path: path.to_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
    };
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok(OwnSocket {
        listener: socket.listen(BACKLOG)?,
        _file: file,
    })
}

impl Listener for OwnSocket {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        Listener::poll_accept(&mut self.listener, context)
    }
}

impl Listener for UnixListener {
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Accepted>> {
        let (stream, _) = ready!(Self::poll_accept(self, context))?;
        Poll::Ready(Ok(Accepted {
            stream: Box::new(stream),
            address: ClientAddress::Unix,
        }))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = fs::symlink_metadata(&self.path)
            .is_ok_and(|now| (now.dev(), now.ino()) == (self.device, self.inode));
        if is_own {
            // If it fails, the next start replaces the file.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net;

    use tokio::io::AsyncReadExt;

    use super::*;

    async fn refusal(path: &Path) -> String {
        match bind(path).await {
            Ok(_) => String::new(),
            Err(problem) => problem,
        }
    }

    #[tokio::test]
    async fn a_socket_file_is_for_user_and_group_and_is_removed_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.sock");
        let mut bound = bind(&path).await.unwrap();
        assert_eq!(
            bound[0].address.to_string(),
            format!("unix:{}", path.display())
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let mut client = UnixStream::connect(&path).await.unwrap();
        let listener = &mut bound[0].listener;
        let accepted = std::future::poll_fn(|context| listener.poll_accept(context)).await;
        let accepted = accepted.unwrap();
        assert_eq!(accepted.address, ClientAddress::Unix);
        drop(accepted.stream);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        drop(bound);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_socket_of_a_dead_process_is_replaced_and_that_of_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.sock");
        let live = net::UnixListener::bind(&path).unwrap();
        let reported = refusal(&path).await;
        assert!(
            reported.starts_with("another socket has this address."),
            "{reported}"
        );
        assert!(
            UnixStream::connect(&path).await.is_ok(),
            "it is still there"
        );
        // As after `kill -9`: the file stays.
        drop(live);
        assert!(path.exists());
        let bound = bind(&path).await.unwrap();
        // Another process replaces it by force: its file stays.
        fs::remove_file(&path).unwrap();
        let _other = net::UnixListener::bind(&path).unwrap();
        drop(bound);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn what_is_no_socket_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "precious").unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [file.as_path(), directory.path(), &link] {
            let reported = refusal(path).await;
            let wanted = "the file exists and is no socket. Choose another path, or remove it.";
            assert_eq!(reported, wanted, "{}", path.display());
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
        let reported = refusal(&directory.path().join("missing/web.sock")).await;
        assert!(
            reported.starts_with("there is no such directory. Create"),
            "{reported}"
        );
    }
}
