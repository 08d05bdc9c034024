package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
)

// A cost is what a call takes, or may take.
type cost struct {
	Allocations  int `json:"allocations"`
	Instructions int `json:"instructions,omitempty"` // zero where they cannot be counted
}

// limits are the costs allowed, by path.
type limits map[string]cost

//go:embed limits.json
var limitsText []byte

func readLimits() (limits, error) {
	l := limits{}
	return l, json.Unmarshal(limitsText, &l)
}

func (l limits) write(path string) error {
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// allow returns the limit that a counted cost becomes: instructions get 3 %,
// which is more than they vary.
func (c cost) allow() cost {
	return cost{c.Allocations, c.Instructions + c.Instructions*3/100}
}

// compare returns the line that is printed and whether the limit is kept.
func (c cost) compare(name string, limit cost) (line string, ok bool) {
	line = fmt.Sprintf("%-8s %3d allocations a call, limit %d", name, c.Allocations, limit.Allocations)
	ok = c.Allocations <= limit.Allocations
	lower := c.Allocations < limit.Allocations
	if c.Instructions > 0 {
		line += fmt.Sprintf("; %d instructions a call, limit %d", c.Instructions, limit.Instructions)
		ok = ok && c.Instructions <= limit.Instructions
		lower = lower || c.Instructions < limit.Instructions*92/100
	}
	switch {
	case !ok:
		line += ": TOO MANY"
	case lower:
		line += ": fewer than allowed, run cost -update to keep it so"
	}
	return line, ok
}
