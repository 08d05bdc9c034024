//go:build !windows

package transport

// ServiceAddress returns the address at which a service of that name of this
// user is to be found: that of the socket at [SocketPath].
func ServiceAddress(name string) (string, error) {
	path, err := SocketPath(name)
	if err != nil {
		return "", err
	}
	return SchemeUnix + ":" + path, nil
}
