package main

import (
	"fmt"
	"os"
)

// colorFlag is --color.
type colorFlag string

const (
	colorAuto   colorFlag = "auto"
	colorAlways colorFlag = "always"
	colorNever  colorFlag = "never"
)

func (f *colorFlag) String() string { return string(*f) }

func (f *colorFlag) Set(text string) error {
	switch choice := colorFlag(text); choice {
	case colorAuto, colorAlways, colorNever:
		*f = choice
		return nil
	}
	return fmt.Errorf("want auto, always or never, got %q", text)
}

func (f *colorFlag) Type() string { return "when" }

// palette decides whether a stream is coloured. An explicit choice on the
// command line is stronger than NO_COLOR, as no-color.org asks.
func (f colorFlag) palette(terminal bool) palette {
	switch f {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	return palette(terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// palette paints text for a terminal; the false one leaves it as it is. It
// uses only the basic colours, which every terminal's owner has chosen to be
// readable on his background.
type palette bool

func (p palette) bold(s string) string   { return p.paint("1", s) }
func (p palette) dim(s string) string    { return p.paint("2", s) }
func (p palette) red(s string) string    { return p.paint("31", s) }
func (p palette) green(s string) string  { return p.paint("32", s) }
func (p palette) yellow(s string) string { return p.paint("33", s) }
func (p palette) blue(s string) string   { return p.paint("34", s) }
func (p palette) purple(s string) string { return p.paint("35", s) }
func (p palette) cyan(s string) string   { return p.paint("36", s) }

func (p palette) paint(code, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
