//! What keeps the answers of a [`Discovery`](crate::Discovery).

mod disk;
mod files;
mod memory;

pub use disk::DiskCache;
pub use memory::MemoryCache;
