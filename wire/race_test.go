//go:build race

package wire

// raceEnabled: pools drop at random under the race detector, so allocations
// cannot be counted.
const raceEnabled = true
