//go:build linux && !race

package events

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// plantedKept says of each fault which rule it breaks in what is kept, and
// how often the service is killed for that: some faults are there only then.
var plantedKept = []struct {
	plant Plant
	rule  Rule
	kills int
}{
	{AckBeforeCommit, AckedKept, 6},
	{NoDedupe, StoredOnce, 6},
	{ReusedSequence, SameAgain, 2},
	{AlteredRecord, NotInvented, 0},
	{ForgottenLetter, DeadOnce, 0},
	{UnflaggedAgain, Flagged, 0},
	{WrongAck, AckedDone, 0},
	{SecondDelivery, OneHolder, 0},
	{ImpatientGroup, OneHolder, 0},
	{VanishedEvent, Covered, 0},
	{IgnoredFilter, Filtered, 0},
	{LateDuplicate, NoDuplicate, 0},
}

// TestPlantedKept puts one fault after another between what happens and what
// is written down. A checker that does not find each of them is no evidence.
// What a fault does besides, such as keeping the groups from being through, is
// not looked at.
func TestPlantedKept(t *testing.T) {
	for _, p := range plantedKept {
		t.Run(string(p.plant), func(t *testing.T) {
			t.Parallel() // most of the time something is waited for
			report, err := Kept(t.Context(), Config{
				Messages: 3000, Kills: p.kills, Calm: p.kills == 0, Seed: 1, Limit: 15 * time.Second, Pause: 100 * time.Millisecond,
				Patience: 3 * time.Second, Plant: p.plant,
			})
			if report == nil {
				t.Fatal(err)
			}
			found := report.Contradictions
			if p.rule == AckedKept { // what no group has come to yet is not lost
				found = slices.DeleteFunc(found, func(c Contradiction) bool { return c.Place != Orders.String() })
			}
			red(t, report, found, p.rule)
		})
	}
}

// plantedPlain is the same for events that nobody keeps.
var plantedPlain = []struct {
	plant Plant
	rules []Rule
}{
	{SuppressedGap, []Rule{Covered}},
	{MiscountedGap, []Rule{Covered, Accounted}},
	{VanishedEvent, []Rule{Covered}},
	{SwallowGap, []Rule{Covered}},
	{LateDuplicate, []Rule{NoDuplicate}},
	{IgnoredFilter, []Rule{Filtered}},
}

// TestPlantedPlain plants them.
func TestPlantedPlain(t *testing.T) {
	for _, p := range plantedPlain {
		t.Run(string(p.plant), func(t *testing.T) {
			report, err := Plain(t.Context(), PlainConfig{Events: 200_000, Calm: true, Seed: 1, Limit: 30 * time.Second, Plant: p.plant})
			if report == nil {
				t.Fatal(err)
			}
			for _, rule := range p.rules {
				red(t, report, report.Contradictions, rule)
			}
		})
	}
}

// red fails unless a rule was found broken.
func red(t *testing.T, report any, found []Contradiction, want Rule) {
	t.Helper()
	count := map[Rule]int{}
	for _, c := range found {
		count[c.Rule]++
	}
	t.Logf("%d of %s; by rule:", count[want], want)
	for _, rule := range slices.Sorted(maps.Keys(count)) {
		t.Logf("  %-16s %d", rule, count[rule])
	}
	if count[want] == 0 {
		t.Errorf("%s was not found broken in %s", want, report)
	}
}

// TestNothingPlanted makes sure that what the tests above find is what was
// planted.
func TestNothingPlanted(t *testing.T) {
	kept, err := Kept(t.Context(), Config{Messages: 3000, Calm: true, Seed: 1, Limit: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Contradictions) > 0 {
		t.Errorf("%s\n%s", kept, kept.Explain(3))
	}
	plain, err := Plain(t.Context(), PlainConfig{Events: 100_000, Calm: true, Seed: 1, Limit: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if len(plain.Contradictions) > 0 {
		t.Errorf("%s\n%s", plain, plain.Explain(3))
	}
}
