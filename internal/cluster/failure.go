package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mergegate/mergegate/internal/kube"
)

// What a failure says is shown in pull requests. So it says what happened, in words of ours, and not
// where: what Go, a load balancer or a server in trouble says names addresses of the network in which
// the cluster is. What a server says of an object, it says to the object's author, and is kept.

// refusedTries is after how many tries a server at which nobody listens is given up, within about two
// seconds: a load balancer has others, and whoever waits for a plan learns of it at once.
const refusedTries = 4

// judge says what a failed try means, and whether and when another one may help. The server says so
// by its status, and by Retry-After where it is too busy (429, 503: priority and fairness).
func judge(err error, try int) (failure *kube.Failure, pause time.Duration, again bool) {
	pause = backoff(try)
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		var certificate *tls.CertificateVerificationError
		nobody := errors.Is(err, syscall.ECONNREFUSED) && try >= refusedTries
		return unanswered(err), pause, !nobody && !errors.As(err, &certificate)
	}
	s := status.Status()
	failure = failureOf(s)
	switch s.Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		again = true
	case http.StatusInternalServerError, http.StatusConflict:
		again = !deterministic(s)
	}
	if s.Details != nil && s.Details.RetryAfterSeconds > 0 {
		pause = max(pause, time.Duration(s.Details.RetryAfterSeconds)*time.Second)
	}
	return failure, pause, again
}

const noWebhook = "failed calling webhook"

// deterministic says whether a status is the answer to this object rather than a fault, or one for a
// webhook that must answer and does not.
func deterministic(s metav1.Status) bool {
	return kube.Deliberate(int(s.Code), s.Message) || strings.Contains(s.Message, noWebhook)
}

func failureOf(s metav1.Status) *kube.Failure {
	f := &kube.Failure{Code: int(s.Code), Reason: string(s.Reason), Message: s.Message}
	switch {
	case foreign(s):
		// Not an API server's error, so no answer to what was asked, whatever the status. Its text may be
		// anything: a page of a load balancer, with who asked for what.
		return &kube.Failure{Reason: "NoAnswer", Message: answers(f.Code)}
	case f.Code == http.StatusUnauthorized:
		f.Message = "the API server does not accept mergegate's credentials: they are missing, wrong or expired"
		return f
	case strings.Contains(s.Message, noWebhook):
		f.Message = webhookFailure(s.Message)
		return f
	case f.Code >= 500 && !deterministic(s) || f.Code == http.StatusTooManyRequests:
		f.Message = answers(f.Code)
		return f
	}
	if s.Details == nil {
		return f
	}
	for _, c := range s.Details.Causes {
		f.Causes = append(f.Causes, kube.Cause{Type: string(c.Type), Field: c.Field, Message: c.Message})
	}
	return f
}

// foreign says whether an error has no Status of Kubernetes in it.
func foreign(s metav1.Status) bool {
	if s.Details == nil {
		return false
	}
	for _, c := range s.Details.Causes {
		if c.Type == metav1.CauseTypeUnexpectedServerResponse {
			return true
		}
	}
	return false
}

func answers(code int) string {
	return strings.TrimSuffix(fmt.Sprintf("the API server answers %d (%s)", code, http.StatusText(code)), " ()")
}

var webhookName = regexp.MustCompile(`failed calling webhook "([^"]+)"`)

// webhookFailure says what is wrong with a webhook, without where it is.
func webhookFailure(message string) string {
	text := "an admission webhook cannot be called"
	if name := webhookName.FindStringSubmatch(message); name != nil {
		text = fmt.Sprintf("the admission webhook %q cannot be called", name[1])
	}
	for _, known := range []struct{ sign, words string }{
		{"x509:", "its certificate is not accepted"},
		{"deadline exceeded", "it does not answer in time"},
		{"Client.Timeout", "it does not answer in time"},
		{"connection refused", "nobody listens"},
		{"no endpoints available", "its Service has no endpoints"},
		{"no such host", "its name is not known"},
		{"not found", "its Service does not exist"},
	} {
		if strings.Contains(message, known.sign) {
			return text + ": " + known.words
		}
	}
	return text
}

// unanswered is a failure for a request that got no answer.
func unanswered(err error) *kube.Failure {
	f := &kube.Failure{Reason: "NoAnswer", Message: "the API server does not answer"}
	var certificate *tls.CertificateVerificationError
	var timeout net.Error
	var name *net.DNSError
	var alert tls.AlertError
	var operation *net.OpError
	var number syscall.Errno
	switch {
	case errors.As(err, &certificate):
		f.Message = "the API server's certificate is not accepted: " + certificateFault(certificate.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		f.Reason, f.Message = "Timeout", "the API server does not answer in time"
	case errors.Is(err, context.Canceled):
		f.Message = "the request was given up"
	case errors.As(err, &name):
		f.Message = "the API server cannot be reached: its name is not known"
	case errors.As(err, &alert):
		f.Message = "the API server refuses the connection: " + alert.Error()
	case errors.Is(err, http.ErrSchemeMismatch):
		f.Message = "the API server speaks no TLS"
	case errors.As(err, &operation) && operation.Op == "dial" && errors.As(err, &number):
		f.Message = "the API server cannot be reached: " + number.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &operation), strings.Contains(err.Error(), "http2:"):
		f.Message = "the API server does not answer: the connection broke"
	}
	return f
}

func certificateFault(err error) string {
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, new(x509.HostnameError)):
		return "it is for another name"
	case errors.As(err, new(x509.UnknownAuthorityError)):
		return "no authority that is trusted here has signed it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired, or is not valid yet"
	}
	return "it is not valid"
}

// errAnother says that something was read that is not what was asked for. Were it taken for an answer,
// {} would be a list without objects.
var errAnother = errors.New("another document")

// garbled is a failure for an answer that says nothing. It quotes nothing of it.
func garbled(err error) error {
	what := "it is another document than was asked for"
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &syntax) && strings.Contains(syntax.Error(), "unexpected end"):
		what = "it is cut off"
	case errors.As(err, &syntax):
		what = "it is not JSON"
	}
	return &kube.Failure{Reason: "Garbled", Message: "the API server's answer cannot be read: " + what}
}
