//! Real servers for tests: each starts from the installed program on a free port and ends with the
//! value that stands for it. Nothing of the machine's own configuration is touched.

pub mod cutter;
pub mod liar;
pub mod moto;
pub mod odata;
pub mod openapi;
pub mod postgres;
pub mod python;
pub mod queue;
pub mod readers;
pub mod sftp;
pub mod web;

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}
