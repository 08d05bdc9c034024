//go:build linux

package torture

import (
	"slices"
	"testing"
	"time"
)

// planted says of each fault which calls meet it and which rules it breaks:
// the first for certain, the others depending on whom it meets.
var planted = []struct {
	plant Plant
	only  []string
	rules []Rule
}{
	{DuplicateRequest, []string{"quick", "slow"}, []Rule{AtMostOnce, EndsOnce, NoNotExecuted}},
	{SwapAnswers, []string{"quick", "slow", "failing"}, []Rule{OwnAnswer, OKExecuted, YesExecuted, NoNotExecuted, AtMostOnce}},
	{DuplicateAnswer, []string{"quick", "slow"}, []Rule{EndsOnce}},
	{AlterRequest, []string{"quick", "slow"}, []Rule{NotInvented, OwnAnswer, OKExecuted}},
	{AnswerUnexecuted, []string{"quick"}, []Rule{OKExecuted}},
	{FailUnexecuted, []string{"quick"}, []Rule{YesExecuted}},
	{RefuseAndDeliver, []string{"quick"}, []Rule{NoNotExecuted, EndsOnce}},
	{LoseItem, []string{"count"}, []Rule{WholeStream}},
	{UnknownCode, []string{"failing", "nothing"}, []Rule{KnownCode}},
	{IncompatibleClaim, []string{"failing", "nothing"}, []Rule{CodeExecuted}},
	{ExecuteAndDeny, []string{"refusing", "quick"}, []Rule{NoNotExecuted}},
	{PassOn, []string{"relay"}, []Rule{NoNotExecuted}},
	{LostEntry, []string{"quick"}, []Rule{OKExecuted}},
	{LateEntry, []string{"quick"}, []Rule{OKExecuted}},
	{Forgetful, []string{"repeatable", "repeatable", "repeatable", "huge"}, []Rule{AtMostOnce}},
	{SilentRetry, []string{"stubborn"}, []Rule{AtMostOnce, NoNotExecuted}},
	{Optimist, []string{"stubborn", "slow"}, []Rule{NoNotExecuted}},
	{LostOutcome, []string{"quick"}, []Rule{EndsOnce}},
}

// TestPlanted puts one fault after another between the two sides. A checker
// that does not find each of them is no evidence.
func TestPlanted(t *testing.T) {
	for _, p := range planted {
		t.Run(string(p.plant), func(t *testing.T) {
			report, err := Run(t.Context(), Config{
				Calls: 600, Seed: 1, Limit: 20 * time.Second, Clients: 1, Faults: []string{}, Only: p.only, Plant: p.plant,
			})
			if err != nil {
				t.Fatal(err)
			}
			found := map[Rule]int{}
			for _, c := range report.Contradictions {
				if found[c.Rule]++; !slices.Contains(p.rules, c.Rule) {
					t.Errorf("breaks %s too: %s\n%s", c.Rule, c, report.History.Excerpt(c.Call))
				}
			}
			if found[p.rules[0]] == 0 {
				t.Errorf("%s was not found broken; found %v in %s", p.rules[0], found, report)
			}
		})
	}
}

// TestNothingPlanted makes sure that what TestPlanted finds is what was
// planted. Where nothing happens, no call is lost either: every request is
// answered, also one of a client that has closed its sending side.
func TestNothingPlanted(t *testing.T) {
	report, err := Run(t.Context(), Config{
		Calls: 2000, Seed: *seed, Limit: 20 * time.Second, Clients: 1, Faults: []string{},
		Only: []string{"quick", "slow", "stubborn", "failing", "refusing", "relay", "mirror", "nothing", "repeatable"},
	})
	if err != nil {
		t.Fatalf("seed %d: %v", *seed, err)
	}
	if len(report.Contradictions) > 0 {
		t.Errorf("seed %d:\n%s", *seed, report.Explain(3))
	}
	if lost := lostCalls(report); lost != "" {
		t.Errorf("seed %d: calls were lost:\n%s", *seed, lost)
	}
}
