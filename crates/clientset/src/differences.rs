//! Where this client differs from client-go, and why.
//!
//! Names, options, defaults and retries are client-go's unless this page says otherwise.
//!
//! # Requests
//!
//! * There is no client-side rate limit unless `Config::rate_limit` sets one. It is shared by all clones of a client,
//!   and so by all clients of a [`Clientset`](crate::Clientset).
//! * Requests are sent again by client-go's rules, within 60 seconds in all. Pauses after a lost connection start
//!   small, grow and vary, where client-go waits a second each time. A pause that would outlast the call's time limit
//!   is not begun.
//! * A request that the server certainly did not process (a refused stream, GOAWAY, a connection closed before the
//!   request was written) is sent again with every verb. Go's HTTP/2 does the same below client-go. A change whose
//!   connection was lost is never sent again, since the server may have made it.
//! * The head of an answer is awaited for 75 seconds at most. A watch ends 30 seconds after its `timeoutSeconds` if the
//!   server does not end it.
//! * `Error::is_transient` covers everything that may succeed a little later, etcd's changes of leader included.
//! * An empty namespace is an error. All namespaces are a method of their own: `all_deployments()`.
//! * The pause that reaches a backoff's `cap` is the last one; client-go ends before it.
//! * Redirects of the API server are not followed.
//! * A GET whose connection is lost inside its answer is sent again; client-go returns the error. Pauses that a server
//!   asks for are up to a fifth longer, so that not everybody comes back at once.
//! * An answer that is kept whole has a limit of bytes (`Config::max_response_bytes`); client-go has none.
//! * Over HTTP/1.1 an ordinary call ends after 45 seconds of silence in its answer; client-go waits for ever. At most
//!   20,000 headers are taken.
//! * While connecting fails, four attempts run at once; Go dials once for each request. At most 511 streams are used on
//!   one HTTP/2 connection.
//! * A delete that is answered with 2xx and a Status that says `Failure` is an error, and so is one that is answered
//!   with 101; client-go takes both for success. Otherwise every 2xx is a success; client-go refuses those above 206.
//! * `is_timeout` holds for the client's own time limits too. A `retryAfterSeconds` of 0 is a wait of no seconds for
//!   any reason.
//! * A `/` at the end of a path, as of a proxied one, stays; client-go drops it. Group and version are checked as names
//!   are, and a path that a program gives must not have `.` or `..` as a segment.
//!
//! # Lists and watches
//!
//! * An object that cannot be decoded does not end a watch or a stream of a list: it is an error of that object. Times
//!   after 9999-12-30T22:00:00Z, or with more than nine digits of a second, are such an error in typed clients. So is
//!   null in place of a text in a list or a map, which client-go reads as an empty one. Types go 127 levels deep;
//!   `managedFields` that go deeper are left out.
//! * Of a field that is there twice the last one counts, whole; client-go mixes the two. An event or a list with such a
//!   field of its own is an error.
//! * An object whose `apiVersion` or `kind` is not that of the type that it is read into is an error; missing ones are
//!   filled in when it is written.
//! * Pages come as a stream. If the server forgets the version of the list half-way, the stream ends in an error,
//!   because the pages before have already been given out.
//! * A watch that ends in mid-event is a lost connection; client-go ends it silently. Bookmarks without a version are
//!   passed over.
//! * A watch that cannot be opened is an error; client-go returns a watch that is empty and closed.
//! * Whole lists of k8s-openapi's types take more memory than client-go's structs, mostly for `managedFields`.
//!   `list().stream()` holds one object at a time, and `without_managed_fields` leaves them out.
//! * `modify(name, change)` is the whole loop of reading, changing and updating, because the loop is easy to get wrong.
//!
//! # Configuration
//!
//! * A kubeconfig with entries but without a current context is an error; only an empty one means "in a cluster". So is
//!   a context whose user does not exist, and a key without its certificate. client-go goes on without them.
//! * Of a kubeconfig with several YAML documents the first counts, as in client-go, but with a warning. Only regular
//!   files of at most 16 MiB are read.
//! * A token given to the loader replaces the user's `tokenFile` too; in client-go the file still wins.
//! * A server that is written without a scheme is asked over https as soon as there are credentials, too; client-go
//!   sends them in clear unless there is a CA, a client certificate or `insecure-skip-tls-verify`.
//! * International host names are taken for common scripts in composed form; others are an error that asks for the
//!   `xn--` form.
//! * Texts that look like numbers or truth values (names, tokens, arguments) are taken as they are written; client-go
//!   refuses them. What the client has no use for, such as `preferences` and the data of other users, may be anything.
//! * A merge key (`<<`) never replaces what is written beside it; in client-go it does if it comes later.
//! * A server's URL has neither a login nor a query. client-go sends the login as user name and password, and drops the
//!   query.
//! * `idp-certificate-authority` is relative to its kubeconfig, like all other paths.
//! * Changing a kubeconfig keeps comments, order and unknown fields, waits five seconds for another program's lock, and
//!   refuses an entry that does not exist. A layout that the editor does not understand (an alias in the way, a
//!   composite key) is an error.
//!
//! # Connections and credentials
//!
//! * A proxy of the environment that cannot be used is an error that names the variable; Go connects directly. The CA,
//!   the client certificate and the server name of a configuration are for the server only; Go uses them for an `https`
//!   proxy too.
//! * In `NO_PROXY`, a network with a port, `*` with a port, and brackets without one count; Go passes them over.
//! * A private key of RSA has 2048 bits at least, and one of P-521 needs the feature `aws-lc-rs`.
//! * White space around a plugin's token is not sent, and its `expirationTimestamp` may have any form of ISO 8601.
//! * No state is global. The last clone of a client closes its connections. Credential plugins are shared by the
//!   clients of one `Config` and its clones, not by the whole process.
//! * When a certificate or a CA changes, requests in flight have 30 seconds. client-go closes everything at once when a
//!   certificate changes, and leaves connections open when the CA does.
//! * A CA file that is empty trusts nobody until it is filled, in a pod too; client-go trusts the system's roots.
//! * The key usage of intermediate CAs that a server sends is not looked at, and an end certificate whose only purpose
//!   is `anyExtendedKeyUsage` is refused; Go does the opposite in both.
//! * An OpenID Connect provider may redirect to its document on the same host or by https only.
//! * A credential plugin without a terminal is stopped after ten minutes. After a 401, the next request runs it, so
//!   that the request with the 401 does not have to wait.
//!
//! # Controllers
//!
//! * An informer keeps the bytes of objects, without `managedFields`, and decodes them when they are read. It keeps
//!   decoded objects, or `managedFields`, if it is asked to.
//! * Handlers are streams. Changes of one object that were not read yet become one, so that a slow reader holds at most
//!   one entry for each object; client-go's queue of a handler grows without end.
//! * An object that was deleted and made again is a deletion and an addition; in client-go it may be an update.
//! * A watch that cannot be opened for a reason that passes is tried again at its version; client-go lists everything
//!   unless the connection was refused or the server busy. A watch that never ends its initial events is given up after
//!   30 seconds of silence, for a list; client-go asks for the same for ever.
//! * `synced` returns the error of a server that refuses the list; client-go waits.
//! * The registry shares informers of one client only, and makes one that has ended anew. An informer ends with its
//!   last handle.
//! * After a watch that ended at once, the next one goes on at its version; only the second in a row is followed by a
//!   list. client-go lists after each.
//! * An item that is added to a queue while it waits after a failure goes on waiting, and its failures are forgotten
//!   when it is done; client-go hands it out at once, and forgets when `Forget` is called. In a controller, a change of
//!   what is wanted (generation, deletion, another object of the name) ends the wait.
//! * Calls of a controller that is a leader's work run only while the term lasts; in client-go they run on after it.
//! * A leader releases its lease after its work has stopped, and only if the lease is its own still. A machine that was
//!   suspended leads no more. Renewals have a connection of their own without a rate limit.
//! * Events of both APIs are counted and limited by the same rules. The same event of a changed object is a repeat.
//!   What is left is written at the end.
//! * Metrics go to a value of the program (`Config::metrics`, and `metrics` of each builder); client-go has one
//!   receiver for the process. Connections are counted in place of the entries of client-go's cache of transports, and
//!   denials by a policy of credential plugins are not, since there is no such policy.
//!
//! # Pods
//!
//! * A process has succeeded only if the server reports it; client-go takes an end without a report for success. A
//!   forwarded connection whose tunnel is closed before the end of its data fails.
//! * Each forwarded connection has a tunnel of its own; client-go shares one, which an error or a slow reader of one
//!   connection ends or holds up for all.
//! * What was answered with 401, 429 or a Status of 404 is not asked again over SPDY.
//! * A process that does not read its input never ends a connection; client-go gives up after 61 seconds. A peer that
//!   has vanished is found by what the kernel could not deliver.
//! * Upgraded connections go through proxies by CONNECT, `https` proxies too; client-go falls back to SPDY there.
//! * `follow_on` resumes logs and ends with the pod; client-go's followed log ends with its connection.
//! * An answer of a proxied backend is an error of the API server only if it is a Status.
//!
//! # Tests and custom resources
//!
//! * client-go's fake clientset takes the place of the client; `k8s-client-fake` takes that of the server, so retries,
//!   forms of objects and bad answers are tested too. It can do what controllers do, and replays hours of faults by a
//!   seed.
//! * client-go's generators read types in Go; `k8s-client-generate` reads the definitions of custom resources. Its
//!   enums are open.
//!
//! # Discovery
//!
//! * A field of the wrong type in a discovery document fails that version or group; client-go refuses the whole
//!   document. A group without a name is passed over, and one that is named twice is one group.
//! * Without aggregated discovery, each group-version is asked once more after a `Retry-After`; client-go asks ten
//!   times.
//! * A group also lists its versions that cannot be read at the moment; client-go leaves stale ones out.
//! * A full name wins over a short one, and a group's whole name over the beginning of another's, wherever they are
//!   served.
//! * The mapper asks the server again for whatever it does not know, however its cache was filled.
//!
//! # Apply
//!
//! * `extract` returns an error where the next apply would remove a field: one that the compiled version of Kubernetes
//!   does not know, or that was applied in another version of the API. So does an object without `managedFields`;
//!   client-go returns `nil` for it.
