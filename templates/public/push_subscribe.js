// Lets a visitor of your site subscribe to push messages from {{ site_name }}:
//     await KindlingPush.subscribe({ token: "…" });                 with a token from POST /api/customers/{id}/push-token
//     await KindlingPush.subscribe({ userId: "…", userHash: "…", writeKey: "…" }); with the browser key of your site, and the user id signed
// Call it when somebody presses a button: browsers ask nobody who did not. `worker` is your service worker, /kindling-worker.js if not given.
(() => {
    const url = "{{ url|escapejs }}";
    const key = "{{ application_key|escapejs }}";

    const bytes = (text) =>
        Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));

    const tell = async (body) => {
        const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
        if (!answer.ok) throw new Error(await answer.text());
    };

    const registered = async (worker) => {
        await navigator.serviceWorker.register(worker || "/kindling-worker.js");
        return navigator.serviceWorker.ready;
    };

    window.KindlingPush = {
        async subscribe({ token, userId, userHash, writeKey, worker } = {}) {
            if ((await Notification.requestPermission()) !== "granted") return false;
            const registration = await registered(worker);
            const subscription = await registration.pushManager.subscribe({
                userVisibleOnly: true,
                applicationServerKey: bytes(key),
            });
            await tell({ subscription, token, userId, userHash, writeKey });
            return true;
        },

        async unsubscribe({ worker } = {}) {
            const registration = await registered(worker);
            const subscription = await registration.pushManager.getSubscription();
            if (!subscription) return false;
            await tell({ unsubscribe: subscription.endpoint });
            return subscription.unsubscribe();
        },
    };
})();
