// Package registry finds out where a service lives: from its manifest, from a
// mapping file, or from its socket.
//
// # The places, in order
//
//  1. The search path, each directory in turn: in it <name>.ekko.ipc.json
//     first, then any other *.ekko.ipc.json whose service.name is the name.
//     The path is what $EKKO_IPC_PATH lists. If that is not set, it is
//
//     ./  ./ipc/  ./.ekko/ipc/  ./services/  ~/.ekko/ipc/  ~/.ekkojs/ipc/
//
//     and the system's directory (/etc/ekko/ipc, or ekko\ipc under
//     %ProgramData%). EKKO_IPC_PATH replaces that list, it does not add to
//     it; empty entries are skipped, and relative ones start at the working
//     directory. No directory above or below these is searched.
//
//  2. The mapping file ekko.ipc.config.json, in ./ and then in ~/.ekko/.
//
//  3. A living socket of that name in the runtime directory.
//
// The first hit wins. Each place looked at is kept with what was found there,
// in the Resolution or in the error.
//
// # The mapping file
//
//	{
//	  "services": {
//	    "database-service": "ipc/database.ekko.ipc.json",
//	    "cache":  "unix:/run/cache/ipc.sock",
//	    "search": {"manifest": "../search/search.ekko.ipc.json", "address": "tcp:127.0.0.1:7000"}
//	  }
//	}
//
// A text with a scheme (unix:, tcp:) is an address, any other the path of a
// manifest, from the mapping file's directory. With both, the manifest
// describes the service, and the address is where it is. Comments, unknown
// fields and names given twice are errors, told with line and column. Since
// the file is the user's own word, an address in it may lead to a socket
// outside of the runtime directory, which one in a manifest may not.
//
// # Whom it trusts
//
// A manifest or mapping file is read only if nobody but the user and root can
// have written it or put it there; see manifest.CheckDir. What somebody else
// planted is passed over and recorded, so that it can neither answer for a
// service nor keep a real one from being found. A file of the user's own that
// is broken, or that others may write to, is an error if it is the one asked
// for, because using the next best one silently would be worse.
//
// # What it remembers
//
// Nothing is believed without looking: each Resolve compares size, times,
// mode, owner and inode of the directories and files that it depends on with
// those of the last time, and reads again what has changed. A file changed
// within the last two seconds before it was read is read again as well, since
// a second change may not show.
package registry
