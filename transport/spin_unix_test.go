//go:build unix

package transport

import "testing"

// looks counts how often it is asked, and finds something at the nth time.
func looks(nth int, asked *int) func() bool {
	return func() bool {
		*asked++
		return *asked == nth
	}
}

// fruitless is a look that never finds anything.
func fruitless() bool { return false }

func TestSpinIsKeptUpWhileItPays(t *testing.T) {
	if !canSpin {
		t.Skip("one processor: nobody looks again")
	}
	s := spin{credit: 1}
	for range 3 * spinCredit {
		asked := 0
		if !s.until(looks(3, &asked)) || asked != 3 {
			t.Fatalf("found nothing in %d looks, want the third", asked)
		}
	}
	failures := 0
	for s.credit > 0 {
		if s.until(fruitless) {
			t.Fatal("found what is not there")
		}
		failures++
	}
	if want := spinCredit / spinCost; failures != want {
		t.Errorf("the credit of many successes lasts for %d failures, want %d", failures, want)
	}
}

func TestSpinWithoutCreditIsTriedNowAndThen(t *testing.T) {
	if !canSpin {
		t.Skip("one processor: nobody looks again")
	}
	var s spin
	for wait := 1; wait < spinRetry; wait++ {
		asked := 0
		if s.until(looks(1, &asked)) || asked != 0 {
			t.Fatalf("wait %d is spent looking", wait)
		}
	}
	asked := 0
	if !s.until(looks(1, &asked)) {
		t.Errorf("wait %d is not tried", spinRetry)
	}
	if asked = 0; !s.until(looks(1, &asked)) {
		t.Error("a success earns no credit")
	}
}

func TestSpinIsForOneAtATime(t *testing.T) {
	if !canSpin {
		t.Skip("one processor: nobody looks again")
	}
	first, second := spin{credit: spinCredit}, spin{credit: spinCredit}
	inside := false
	first.until(func() bool {
		asked := 0
		inside = second.until(looks(1, &asked)) || asked != 0
		return true
	})
	if inside {
		t.Error("two goroutines look at the same time")
	}
	if second.credit != spinCredit {
		t.Errorf("being second costs %d credit", spinCredit-second.credit)
	}
}
