package registry

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/transport"
)

// TestTLSComesFromSeveralPlaces: the program first, then the environment, then
// the manifest; and a client never takes the service's certificate.
func TestTLSComesFromSeveralPlaces(t *testing.T) {
	for _, name := range []string{EnvTLSCA, EnvTLSCert, EnvTLSKey} {
		t.Setenv(name, "")
	}
	m, err := manifest.Parse([]byte(`{"service": {"name": "db", "version": "1.0.0", "transport": {
		"type": "tcp", "address": "db.example.com", "port": 1, "tls": {"ca": "m/ca", "cert": "/m/cert", "key": "m/key", "serverName": "m-name", "clientCert": true},
		"fallback": [{"type": "tcp", "address": "10.0.0.1", "port": 2, "tls": {"ca": "f/ca"}}, "unix"]
	}}}`))
	if err != nil {
		t.Fatal(err)
	}
	m.Path = filepath.Join(string(filepath.Separator), "dir", "db.ekko.ipc.json")
	dir := filepath.Dir(m.Path)
	type options = transport.TLSOptions
	main, fallback := "tls:db.example.com:1", "tls:10.0.0.1:2"
	for i, test := range []struct {
		m              *manifest.Manifest
		address        string
		own            *options
		server, client *options
	}{
		{nil, "unix:/x", nil, nil, nil},
		{m, "unix:/x", nil, nil, nil},
		{m, "tcp:127.0.0.1:1", &options{CAFile: "o"}, &options{CAFile: "o"}, &options{CAFile: "o"}},
		{nil, main, nil, nil, &options{}},
		{m, main, nil,
			&options{CAFile: dir + "/m/ca", CertFile: "/m/cert", KeyFile: dir + "/m/key", ClientCert: true},
			&options{CAFile: dir + "/m/ca", ServerName: "m-name"}},
		{m, fallback, nil, &options{CertFile: "", KeyFile: ""}, &options{CAFile: dir + "/f/ca"}},
		{m, "tls:elsewhere:3", nil,
			&options{CAFile: dir + "/m/ca", CertFile: "/m/cert", KeyFile: dir + "/m/key", ClientCert: true},
			&options{CAFile: dir + "/m/ca", ServerName: "m-name"}},
		{m, main, &options{CAFile: "o-ca", CertFile: "o-cert", KeyFile: "o-key", ServerName: "o-name"},
			&options{CAFile: "o-ca", CertFile: "o-cert", KeyFile: "o-key", ServerName: "o-name", ClientCert: true},
			&options{CAFile: "o-ca", CertFile: "o-cert", KeyFile: "o-key", ServerName: "o-name"}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if diff := cmp.Diff(test.server, ServerTLS(test.m, test.address, test.own)); diff != "" {
				t.Error("service:", diff)
			}
			if diff := cmp.Diff(test.client, ClientTLS(test.m, test.address, test.own)); diff != "" {
				t.Error("client:", diff)
			}
		})
	}
	t.Setenv(EnvTLSCA, "e-ca")
	t.Setenv(EnvTLSCert, "e-cert")
	t.Setenv(EnvTLSKey, "e-key")
	want := &options{CAFile: "e-ca", CertFile: "e-cert", KeyFile: "e-key", ServerName: "m-name"}
	if diff := cmp.Diff(want, ClientTLS(m, main, nil)); diff != "" {
		t.Error(diff)
	}
	own := &options{CAFile: "o-ca", CertFile: "o-cert", KeyFile: "o-key"}
	if diff := cmp.Diff(&options{CAFile: "o-ca", CertFile: "o-cert", KeyFile: "o-key", ServerName: "m-name"}, ClientTLS(m, main, own)); diff != "" {
		t.Error(diff)
	}
	if ServerTLS(m, main, nil).CertFile != "/m/cert" {
		t.Error("a service takes the certificate of who calls")
	}
}
