//! What keeps the answers of a [`Discovery`](crate::Discovery).
//!
//! Freshness is a point in time. client-go's mapper looks again only while its cache is not `Fresh`, so a cache that
//! the program itself has filled hides new kinds until somebody resets it. Here, each answer is kept with the time at
//! which it was asked for, and whoever misses something has the caches forget what is older than the question. A cache
//! behind another is asked first: if it had to forget, so must the one in front, whose newer answers came from what was
//! forgotten.
//!
//! What failed is never kept, so that the failure is reported again, or is over.

mod disk;
mod files;
mod memory;

pub use disk::DiskCache;
pub use memory::MemoryCache;
