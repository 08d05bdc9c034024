//go:build !race

package main

// raceEnabled says that the test is built with the race detector.
const raceEnabled = false
