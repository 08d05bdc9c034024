//go:build !amd64

package plain

const (
	wide     = false
	wideFrom = 32
	masks    = false
)

func asciiWide(p *byte, n int) int    { panic("plain: no wide comparison on this processor") }
func textWide(p *byte, n int) int     { panic("plain: no wide comparison on this processor") }
func enclosedWide(p *byte, n int) int { panic("plain: no wide comparison on this processor") }
