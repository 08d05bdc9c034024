package main

import (
	"context"
	"fmt"
)

// cost counts the allocations and instructions of a call and shows them
// beside their limits, whether these are kept or not; see bench/cost.
func cost(ctx context.Context, r *runner) error {
	text, err := in("bench", "go", "run", "./cost").output(ctx)
	fmt.Fprint(r.out, ensureNewline(text))
	return err
}
