//go:build race

package main

// raceEnabled: the JavaScript engine is translated C, whose arithmetic with
// pointers the race detector's own checks do not let pass.
const raceEnabled = true
