package githubsim

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

// listDeliveries pages by cursor, newest first, as GitHub does: there is no page number and no total.
func listDeliveries(c *call) answer {
	log := c.who.app.hooks.Log()
	slices.Reverse(log)
	status := c.query("status")
	var selected []hook.Delivery
	for _, d := range log {
		if status == "" || (status == "success") == d.OK() {
			selected = append(selected, d)
		}
	}
	if cursor := c.query("cursor"); cursor != "" {
		at := slices.IndexFunc(selected, func(d hook.Delivery) bool { return cursorOf(d) == cursor })
		if at < 0 {
			return fail(http.StatusUnprocessableEntity, "Invalid cursor")
		}
		selected = selected[at:]
	}
	per := bounded(c.query("per_page"), 30, 100)
	if len(selected) > per {
		c.out.Set("Link", `<`+c.s.api("/app/hook/deliveries?per_page=%d&cursor=%s", per, cursorOf(selected[per]))+`>; rel="next"`)
		selected = selected[:per]
	}
	return ok(render(selected, deliveryItem))
}

func cursorOf(d hook.Delivery) string { return "v1_" + strconv.FormatInt(d.ID, 10) }

func deliveryItem(d hook.Delivery) object {
	return object{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.At), "redelivery": d.Redelivery, "duration": d.Duration.Seconds(),
		"status": d.Status, "status_code": d.StatusCode, "event": d.Event.Name, "action": textOrNil(d.Event.Action),
		"installation_id": idOrNil(d.Event.Installation), "repository_id": idOrNil(d.Event.Repository), "throttled_at": nil,
	}
}

func idOrNil(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func getDelivery(c *call) answer {
	log := c.who.app.hooks.Log()
	at := slices.IndexFunc(log, func(d hook.Delivery) bool { return d.ID == c.id("id") })
	if at < 0 {
		return notFound()
	}
	d := log[at]
	out := deliveryItem(d)
	out["url"] = d.URL
	out["request"] = object{"headers": flat(d.Header), "payload": d.Event.Payload}
	out["response"] = object{"headers": flat(d.ResponseHdr), "payload": textOrNil(d.Response)}
	return ok(out)
}

func flat(h http.Header) map[string]string {
	out := map[string]string{}
	for k := range h {
		out[k] = h.Get(k)
	}
	return out
}

func redeliver(c *call) answer {
	if !c.who.app.hooks.Redeliver(c.id("id")) {
		return notFound()
	}
	return answer{http.StatusAccepted, object{}}
}
