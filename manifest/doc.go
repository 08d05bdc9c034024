// Package manifest is what a service promises: .ekko.ipc.json files read,
// checked and compiled to schemas that arguments, results and events are
// checked against.
package manifest
