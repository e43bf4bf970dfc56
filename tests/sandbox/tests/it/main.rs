//! Tests of the whole sandbox over real connections: one binary, one module per subject.
#![cfg(test)]

mod admin;
mod authvital_g1;
mod authvital_g2;
mod command_line;
mod cors;
mod faults;
mod harness;
mod page;
mod server;
