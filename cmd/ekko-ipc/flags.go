package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// switchFlag is a boolean flag that remembers whether it was given, since
// --json=false (text, please, even into a pipe) differs from its absence.
type switchFlag struct{ set, value bool }

func (f *switchFlag) String() string {
	if !f.set {
		return ""
	}
	return strconv.FormatBool(f.value)
}

func (f *switchFlag) Set(text string) error {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return fmt.Errorf("want true or false, got %q", text)
	}
	f.set, f.value = true, value
	return nil
}

// Type has the name that makes the flag library treat it as a switch.
func (f *switchFlag) Type() string { return "bool" }

// timeoutFlag is a duration that remembers whether it was given.
type timeoutFlag struct {
	set   bool
	value time.Duration // 0 means no limit
}

func (f *timeoutFlag) String() string {
	if !f.set {
		return ""
	}
	return f.value.String()
}

func (f *timeoutFlag) Set(text string) error {
	text = unshield(text)
	value, err := time.ParseDuration(text)
	if err != nil {
		if _, numErr := strconv.ParseFloat(text, 64); numErr == nil {
			return fmt.Errorf("%s of what? add a unit, as in %ss or %sms", text, text, text)
		}
		return fmt.Errorf("want a duration such as 500ms, 10s or 2m, got %q", text)
	}
	if value < 0 {
		return fmt.Errorf("want a duration of 0 (no limit) or more, got %s", text)
	}
	f.set, f.value = true, value
	return nil
}

func (f *timeoutFlag) Type() string { return "duration" }

func (f *timeoutFlag) or(usual time.Duration) time.Duration {
	if f.set {
		return f.value
	}
	return usual
}

// pathFlag is --path. It takes effect by setting EKKO_IPC_PATH as soon as it
// is read: the registry looks there, and so do the processes that run and demo
// start, and completion, which reads flags but runs no command.
type pathFlag struct{ value string }

const pathVariable = "EKKO_IPC_PATH"

func (f *pathFlag) String() string { return f.value }

func (f *pathFlag) Set(text string) error {
	f.value = text
	return os.Setenv(pathVariable, text)
}

func (f *pathFlag) Type() string { return "list" }

// shieldNumbers marks the negative numbers among the arguments of call and
// pub, which the flag library would take for flags: nobody should have to
// remember "--" to write "call calculator.add 2 -3". unshield removes the
// mark. It is a NUL, the one byte that no argument of a process can hold.
func shieldNumbers(args []string) []string {
	shielded := make([]string, len(args))
	takesData := false
	for i, arg := range args {
		shielded[i] = arg
		switch {
		case arg == "--":
			copy(shielded[i:], args[i:])
			return shielded
		case arg == "call" || arg == "pub" || arg == "publish":
			takesData = true
		case takesData && isNegativeNumber(arg) && args[i-1] != "--count" && args[i-1] != "-n":
			shielded[i] = shield + arg
		}
	}
	return shielded
}

const shield = "\x00"

func unshield(arg string) string { return strings.TrimPrefix(arg, shield) }

func isNegativeNumber(arg string) bool {
	if len(arg) < 2 || arg[0] != '-' || arg[1] < '0' || arg[1] > '9' {
		return false
	}
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil
}
