//! The memory of one step.
//!
//! A step is a pure function: nothing that it allocates outlives it, but for its answer, which JavaScript copies at once. So memory is handed out from a
//! mark that only moves forward, nothing is ever given back, and after the step the mark is set to the start again. That makes every `drop` in the
//! crate no code at all, which is a fifth of the wasm, and memory can't leak from step to step.
//!
//! This is the only unsafe code of the project. It relies on three things: wasm has one thread here; steps do not nest, as no step calls JavaScript; and
//! [`Arena::reset`] is called only by `src/npm`, when it has read a step's answer and nothing that was allocated is in use.
#![allow(unsafe_code)]

use core::arch::wasm32::{memory_grow, memory_size};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::alloc::{GlobalAlloc, Layout};

const PAGE: usize = 65_536;

/// Hands out memory beyond what the module started with.
pub struct Arena {
    /// Where it begins; 0 before the first use.
    start: AtomicUsize,
    /// Where what is free begins.
    free: AtomicUsize,
}

impl Arena {
    /// An empty one.
    pub const fn new() -> Self {
        Self { start: AtomicUsize::new(0), free: AtomicUsize::new(0) }
    }

    /// Nothing that was allocated is in use any more. Tokens were among it: it is overwritten.
    pub fn reset(&self) {
        let (start, free) = (self.start.load(Relaxed), self.free.load(Relaxed));
        // SAFETY: what lies between is what was handed out, and nothing of it is in use.
        unsafe { core::ptr::write_bytes(start as *mut u8, 0, free - start) };
        self.free.store(start, Relaxed);
    }

    /// Makes sure that memory up to there is there. Engines take their time to grow it, however little: so by half, if that can be had.
    fn reach(&self, end: usize) -> bool {
        let pages = memory_size(0);
        let lacking = end.div_ceil(PAGE).saturating_sub(pages);
        lacking == 0 || memory_grow(0, lacking.max(pages / 2)) != usize::MAX || memory_grow(0, lacking) != usize::MAX
    }
}

// SAFETY: blocks lie one after the other in memory that is this module's own and nobody else's (what the linker laid out ends where it begins), aligned as
// asked, and are not handed out twice before a reset.
unsafe impl GlobalAlloc for Arena {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.start.load(Relaxed) == 0 {
            let start = memory_size(0) * PAGE;
            self.start.store(start, Relaxed);
            self.free.store(start, Relaxed);
        }
        let block = self.free.load(Relaxed).next_multiple_of(layout.align());
        match block.checked_add(layout.size()) {
            Some(end) if self.reach(end) => {
                self.free.store(end, Relaxed);
                block as *mut u8
            }
            _ => core::ptr::null_mut(),
        }
    }

    #[inline(always)]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    /// The newest block grows where it is: texts are written piece by piece.
    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if block as usize + layout.size() == self.free.load(Relaxed)
            && let Some(end) = (block as usize).checked_add(size)
            && self.reach(end)
        {
            self.free.store(end, Relaxed);
            return block;
        }
        // SAFETY: the caller keeps the contract of `realloc`, which has that of `alloc` in it.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: both blocks are at least that long, and the new one is beyond the old one.
            unsafe { core::ptr::copy_nonoverlapping(block, new, layout.size().min(size)) };
        }
        new
    }
}
