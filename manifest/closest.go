package manifest

import "strings"

// Closest is the candidate that a misspelt name most likely meant: the first of
// those at the smallest distance, counting a letter added, left out, changed or
// exchanged with its neighbour as one, case as nothing. It is empty when no
// candidate is near enough to be worth saying.
func Closest(name string, candidates []string) string {
	if name == "" {
		return ""
	}
	// A third of the letters may be wrong, and never more than three: beyond
	// that suggestions become noise.
	limit := min(max(1, len(name)/3), 3)
	best, at := "", limit+1
	var lower string
	for _, c := range candidates {
		if c == "" || c == name || len(c) > len(name)+limit || len(name) > len(c)+limit {
			continue
		}
		if lower == "" {
			lower = strings.ToLower(name)
		}
		if d := distance(lower, strings.ToLower(c)); d < at && d < max(len(c), len(name)) {
			best, at = c, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance of adjacent exchanges, over
// bytes: names are ASCII.
func distance(a, b string) int {
	// Three rows of the matrix are all that is ever looked at.
	rows := make([]int, 3*(len(b)+1))
	before, last, row := rows[:len(b)+1], rows[len(b)+1:2*(len(b)+1)], rows[2*(len(b)+1):]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
