package node

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// RunImage is what runs in a container without a command, whatever its image is: a web server that tells what it was
// asked, and logs it, until SIGTERM.
func RunImage(arguments []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	port := flags.Int("port", 80, "where to listen")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	address := func(port int) string { return net.JoinHostPort(os.Getenv("POD_IP"), strconv.Itoa(port)) }
	listener, err := net.Listen("tcp", address(*port))
	if errors.Is(err, os.ErrPermission) {
		listener, err = net.Listen("tcp", address(*port+aside))
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s listens on port %d\n", os.Getenv("HOSTNAME"), *port)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Printf("%s %s\n", req.Method, req.URL)
		fmt.Fprintf(w, "%s: %s %s\n", os.Getenv("HOSTNAME"), req.Method, req.URL)
	}))
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
	return nil
}
