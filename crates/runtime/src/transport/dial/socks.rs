//! SOCKS5 (RFC 1928), as far as connecting to a server needs it, with user name and password (RFC 1929).

use std::{io, net::IpAddr};

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    Io,
    proxy::{Problem, REFUSES_LOGIN, WANTS_LOGIN},
};
use crate::{config::Authority, transport::failure};

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const SUCCEEDED: u8 = 0;
const CONNECT: u8 = 1;
/// Ways to log in.
const NO_LOGIN: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
/// Kinds of addresses.
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Has a proxy connect to the server, whose name it resolves itself.
pub(super) async fn connect(
    mut proxy: Box<dyn Io>,
    Authority { host, port }: &Authority,
    login: Option<(&str, &SecretString)>,
) -> Result<Box<dyn Io>, Problem> {
    // A proxy that wants no login is not given one.
    let methods: &[u8] = if login.is_some() { &[NO_LOGIN, USER_AND_PASSWORD] } else { &[NO_LOGIN] };
    send(&mut proxy, &[&[VERSION], &counted("", methods)?[..]].concat()).await?;
    match (receive(&mut proxy).await?, login) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(login)) => log_in(&mut proxy, login).await?,
        ([VERSION, NONE_OF_THESE], None) => return Err(Problem::lasting(WANTS_LOGIN)),
        ([VERSION, _], _) => return Err(Problem::lasting("the proxy wants a login of a kind that is not supported")),
        _ => return Err(not_socks()),
    }

    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => request.extend([&[IPV4], &address.octets()[..]].concat()),
        Ok(IpAddr::V6(address)) => request.extend([&[IPV6], &address.octets()[..]].concat()),
        Err(_) => request.extend([&[NAME], &counted("the server's name", host.as_bytes())?[..]].concat()),
    }
    request.extend(port.to_be_bytes());
    send(&mut proxy, &request).await?;
    let [version, reply, _reserved, kind] = receive(&mut proxy).await?;
    if version != VERSION {
        return Err(not_socks());
    }
    if reply != SUCCEEDED {
        return Err(refusal(reply));
    }
    // Where the proxy connects from does not matter, but what the server says comes after it.
    match kind {
        IPV4 => receive::<4>(&mut proxy).await.map(drop),
        IPV6 => receive::<16>(&mut proxy).await.map(drop),
        NAME => {
            let [length] = receive(&mut proxy).await?;
            proxy.read_exact(&mut vec![0; usize::from(length)]).await.map(drop).map_err(|error| broken(&error))
        }
        _ => Err(not_socks()),
    }?;
    let _port: [u8; 2] = receive(&mut proxy).await?;
    Ok(proxy)
}

async fn log_in(proxy: &mut Box<dyn Io>, (user, password): (&str, &SecretString)) -> Result<(), Problem> {
    let user = counted("the user name in the proxy's URL", user.as_bytes())?;
    let password = counted("the password in the proxy's URL", password.expose_secret().as_bytes())?;
    send(proxy, &[&[LOGIN_VERSION], &user[..], &password[..]].concat()).await?;
    match receive(proxy).await? {
        [_, SUCCEEDED] => Ok(()),
        _ => Err(Problem::lasting(REFUSES_LOGIN)),
    }
}

/// The bytes after a byte that says how many there are.
fn counted(what: &str, bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let length = u8::try_from(bytes.len())
        .map_err(|_| Problem::lasting(format!("{what} is longer than the 255 bytes that SOCKS5 allows")))?;
    Ok([&[length], bytes].concat())
}

async fn send(proxy: &mut Box<dyn Io>, bytes: &[u8]) -> Result<(), Problem> {
    let sent = async {
        proxy.write_all(bytes).await?;
        proxy.flush().await
    };
    sent.await.map_err(|error| broken(&error))
}

async fn receive<const N: usize>(proxy: &mut Box<dyn Io>) -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    proxy.read_exact(&mut bytes).await.map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn broken(error: &io::Error) -> Problem {
    let words = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the proxy closed the connection before it had answered".to_owned(),
        _ => format!("the connection to the proxy broke: {error}"),
    };
    Problem { words, delivery: failure::of_lost(error) }
}

fn not_socks() -> Problem {
    Problem::lasting("the proxy does not speak SOCKS5 on this port")
}

fn refusal(reply: u8) -> Problem {
    match reply {
        2 => Problem::lasting("the rules of the proxy do not allow connections to this server"),
        3 => Problem::unreachable("the proxy does not reach the server: network unreachable"),
        4 => Problem::unreachable("the proxy does not reach the server: host unreachable"),
        5 => Problem::refused("the proxy does not reach the server: connection refused"),
        6 => Problem::unreachable("the proxy does not reach the server: TTL expired"),
        7 => Problem::lasting("the proxy does not support connecting to servers"),
        8 => Problem::lasting("the proxy does not support this kind of address"),
        reply => Problem::lasting(format!("the proxy reports a general failure (SOCKS5 reply {reply})")),
    }
}
