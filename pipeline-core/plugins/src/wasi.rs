//! WASI 0.2 for components of other languages: what their standard libraries ask for, and nothing else.
//!
//! A plugin gets no file, no directory, no socket, no environment and no argument. It gets its standard
//! output as log lines, the host's clock, the host's seeded random numbers, and sleeps that are metered as
//! waiting and end with the limit on it. Each is defined here by hand rather than taken from an
//! implementation that could do more, so that what is not below cannot be reached: every other function of
//! a known interface ends the instance when it is called, and a component that asks for an unknown
//! interface (`wasi:http`, say) is refused before it runs. Functions are defined under the very version a
//! component names, since all of 0.2 agrees on those that are here.

mod io;
mod output;

pub use io::Pollables;
pub use output::{LastWords, Output};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType, Val};
use wasmtime::{Result, StoreContextMut};

use crate::state::{Ended, InstanceState};

/// Interfaces a standard library may import although nothing is behind most of their functions.
const INTERFACES: [&str; 27] = [
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "filesystem/preopens",
    "filesystem/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
];

type Context<'a> = StoreContextMut<'a, InstanceState>;

/// Stands for a resource of this name; none of them holds anything on the host's side.
macro_rules! resources {
    ($($name:literal $marker:ident),* $(,)?) => {
        $(pub struct $marker;)*

        fn resource_type(name: &str) -> Option<ResourceType> {
            match name {
                $($name => Some(ResourceType::host::<$marker>()),)*
                _ => None,
            }
        }
    };
}

resources! {
    "error" IoError,
    "pollable" Pollable,
    "input-stream" InputStream,
    "output-stream" OutputStream,
    "terminal-input" TerminalInput,
    "terminal-output" TerminalOutput,
    "descriptor" Descriptor,
    "directory-entry-stream" DirectoryEntryStream,
    "network" Network,
    "tcp-socket" TcpSocket,
    "udp-socket" UdpSocket,
    "incoming-datagram-stream" IncomingDatagramStream,
    "outgoing-datagram-stream" OutgoingDatagramStream,
    "resolve-address-stream" ResolveAddressStream,
}

#[derive(ComponentType, Lower, Lift)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Defines what `component` imports from WASI. The error is the name of an interface that is not offered.
pub fn define(linker: &mut Linker<InstanceState>, component: &Component) -> Result<std::result::Result<(), String>> {
    let engine = component.engine().clone();
    for (name, import) in component.component_type().imports(&engine) {
        let Some(rest) = name.strip_prefix("wasi:") else { continue };
        let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
        let ComponentItem::ComponentInstance(instance) = import.ty else { return Ok(Err(name.to_owned())) };
        if !INTERFACES.contains(&interface) || !version.starts_with("0.2.") {
            return Ok(Err(name.to_owned()));
        }
        let mut place = linker.instance(name)?;
        for (item, export) in instance.exports(&engine) {
            match export.ty {
                ComponentItem::ComponentFunc(_) => function(&mut place, interface, item)?,
                ComponentItem::Resource(_) => resource(&mut place, item)?,
                _ => {}
            }
        }
    }
    Ok(Ok(()))
}

fn resource(place: &mut LinkerInstance<'_, InstanceState>, name: &str) -> Result<()> {
    let Some(kind) = resource_type(name) else { return Ok(()) };
    let is_pollable = name == "pollable";
    place.resource(name, kind, move |mut context: Context<'_>, number| {
        if is_pollable {
            context.data_mut().pollables.remove(number);
        }
        Ok(())
    })
}

fn function(place: &mut LinkerInstance<'_, InstanceState>, interface: &str, name: &str) -> Result<()> {
    match (interface, name) {
        ("cli/environment", "initial-cwd")
        | ("filesystem/types", "filesystem-error-code")
        | ("cli/terminal-stdin" | "cli/terminal-stdout" | "cli/terminal-stderr", _) => {
            constant(place, name, Val::Option(None))
        }
        ("cli/environment" | "filesystem/preopens", _) => constant(place, name, Val::List(Vec::new())),
        ("sockets/tcp-create-socket" | "sockets/udp-create-socket", _)
        | ("sockets/ip-name-lookup", "resolve-addresses") => {
            let refused = Val::Enum("access-denied".to_owned());
            constant(place, name, Val::Result(Err(Some(Box::new(refused)))))
        }
        ("sockets/instance-network", _) => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((Resource::<Network>::new_own(0),)))
        }
        ("cli/exit", "exit") => place
            .func_wrap(name, |_: Context<'_>, (_,): (std::result::Result<(), ()>,)| -> Result<()> {
                Err(Ended::Exit.into())
            }),
        ("clocks/wall-clock", "now") => place.func_wrap(name, |context: Context<'_>, (): ()| {
            let now_ms = u64::try_from(context.data().around.clock.now_ms()).unwrap_or(0);
            Ok((Datetime { seconds: now_ms / 1000, nanoseconds: (now_ms % 1000) as u32 * 1_000_000 },))
        }),
        ("clocks/wall-clock", "resolution") => {
            place.func_wrap(name, |_: Context<'_>, (): ()| Ok((Datetime { seconds: 0, nanoseconds: 1_000_000 },)))
        }
        ("random/random" | "random/insecure", "get-random-bytes" | "get-insecure-random-bytes") => {
            place.func_wrap(name, |mut context: Context<'_>, (count,): (u64,)| {
                let state = context.data_mut();
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                if count > state.identity.limits.memory_bytes {
                    return Err(Ended::Memory.into());
                }
                Ok((state.random.bytes(count),))
            })
        }
        ("random/random" | "random/insecure", "get-random-u64" | "get-insecure-random-u64") => {
            place.func_wrap(name, |mut context: Context<'_>, (): ()| Ok((context.data_mut().random.next_u64(),)))
        }
        ("random/insecure-seed", _) => place.func_wrap(name, |mut context: Context<'_>, (): ()| {
            let random = &mut context.data_mut().random;
            Ok(((random.next_u64(), random.next_u64()),))
        }),
        _ => match io::function(place, interface, name) {
            Some(defined) => defined,
            None => absent(place, interface, name),
        },
    }
}

fn constant(place: &mut LinkerInstance<'_, InstanceState>, name: &str, value: Val) -> Result<()> {
    place.func_new(name, move |mut context, _, given, results| {
        // What was lent has to be given back.
        for value in given {
            if let Val::Resource(lent) = value {
                lent.resource_drop(&mut context)?;
            }
        }
        if let Some(result) = results.first_mut() {
            result.clone_from(&value);
        }
        Ok(())
    })
}

/// Needs something no plugin can have, such as an open file.
fn absent(place: &mut LinkerInstance<'_, InstanceState>, interface: &str, name: &str) -> Result<()> {
    let what = format!("wasi:{interface}#{name}");
    place.func_new(name, move |_, _, _, _| Err(wasmtime::format_err!("{what} does not exist in the sandbox")))
}
