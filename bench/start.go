package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A startRow is what it costs to start a process that makes one call, which
// is what a shell script does.
type startRow struct {
	Command string  `json:"command"`
	Runs    int     `json:"runs"`
	WallMS  float64 `json:"wall_ms"`
	CPUMS   float64 `json:"cpu_ms"`
}

// measureStart runs the command line tool again and again against our own
// service.
func (pl *plan) measureStart() ([]startRow, error) {
	if pl.binary == "" {
		return nil, nil
	}
	s, err := setStage(peerNamed(ipcName), pl.dir)
	if err != nil {
		return nil, err
	}
	defer s.strike()
	tool, name := pl.binary, filepath.Base(pl.binary)
	env := []string{"EKKO_IPC_RUNTIME_DIR=" + s.addr, "EKKO_IPC_PATH=" + s.addr}
	call, err := pl.timeStarts(env, name+" call bench.echo …", tool, "call", ekkoName+".echo", small)
	if err != nil {
		return nil, err
	}
	version, err := pl.timeStarts(env, name+" --version", tool, "--version")
	if err != nil {
		return nil, err
	}
	return []startRow{call, version}, nil
}

func (pl *plan) timeStarts(env []string, label, tool string, args ...string) (startRow, error) {
	var wall, cpu []float64
	for i := range pl.starts + 1 {
		cmd := exec.Command(tool, args...)
		cmd.Env = append(os.Environ(), env...)
		begin := time.Now()
		text, err := cmd.CombinedOutput()
		took := time.Since(begin)
		if err != nil {
			return startRow{}, fmt.Errorf("%s: %w: %s", cmd, err, strings.TrimSpace(string(text)))
		}
		if i == 0 {
			continue // reads the program from disk
		}
		wall = append(wall, took.Seconds()*1e3)
		used := cmd.ProcessState
		cpu = append(cpu, (used.UserTime()+used.SystemTime()).Seconds()*1e3)
	}
	return startRow{
		Command: label, Runs: pl.starts,
		WallMS: round(quantile(wall, 0.5), 2), CPUMS: round(quantile(cpu, 0.5), 2),
	}, nil
}
