package main

import (
	"fmt"
	"strconv"
)

// A mode is one way of loading a peer.
type mode struct {
	callers int  // on the one connection
	payload int  // bytes each way
	slow    bool // beside the callers a slow call is always under way
}

// String is how rows name the mode.
func (m mode) String() string {
	switch {
	case m.slow:
		return "slow"
	case m.callers == 1:
		return "sequential"
	}
	return "concurrent"
}

// title is the heading of the mode's table.
func (m mode) title() string {
	s := fmt.Sprintf("%d callers", m.callers)
	if m.callers == 1 {
		s = "1 caller"
	}
	if s += ", " + sizeText(m.payload); m.slow {
		s += ", beside a call that takes " + slownessText
	}
	return s
}

// fits is whether p can be loaded so.
func (m mode) fits(p *peer) bool {
	return (m.callers == 1 || !p.lockstep) && (!m.slow || p.slow)
}

// maxUnderWay bounds what all callers together have under way, so that no
// peer comes to a limit of its own on the sum.
const maxUnderWay = 16 << 20

// modesOf returns the modes of one payload: as many callers as given and,
// once at the smallest payload, the most of them beside a slow call.
func modesOf(payload int, callers []int) (modes []mode) {
	for _, n := range callers {
		if n == 1 || n*payload <= maxUnderWay {
			modes = append(modes, mode{callers: n, payload: payload})
		}
	}
	if most := callers[len(callers)-1]; payload == smallSize && most > 1 {
		modes = append(modes, mode{callers: most, payload: payload, slow: true})
	}
	return modes
}

func sizeText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return strconv.Itoa(n>>20) + " MiB"
	case n >= 1<<10 && n%(1<<10) == 0:
		return strconv.Itoa(n>>10) + " KiB"
	}
	return strconv.Itoa(n) + " bytes"
}
