//go:build linux || darwin

package transport_test

import (
	"path/filepath"
	"testing"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

func fifoAddress(t testing.TB) string { return "fifo:" + filepath.Join(shortDir(t), "f") }

// bareByAddress makes pairs whose client is without frames.
func bareByAddress(address func(testing.TB) string) func(testing.TB, *transport.Options) (transport.Conn, transporttest.Bare) {
	return func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
		server, client := byAddress(address)(t, o)
		return server, transport.BareForTest(client)
	}
}

func userOnly() transport.Peer {
	p := own()
	p.GID, p.PID = ^uint32(0), 0
	return p
}

func TestFIFO(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(fifoAddress),
		Raw:  bareByAddress(fifoAddress),
		Peer: userOnly(),
	})
}

func init() { echoWays = append(echoWays, echoWay{"fifo", fifoAddress}) }
