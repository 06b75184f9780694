//! The `headwater` binary: hands over to `cli`.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // The allocator asks for huge pages, and the few small objects of a thread then hold 2 MB: that was 60 of 105 MB under a
    // backlog, and saved no CPU. Where it cannot be turned off, more memory is all that comes of it.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    headwater::cli::main()
}
