// Kindling's service worker for push messages. The worker of your site loads it:
//     importScripts("{{ site_url }}/push/worker.js");
self.addEventListener("push", (event) => {
    const message = event.data ? event.data.json() : {};
    event.waitUntil(
        self.registration.showNotification(message.title || "", {
            body: message.body,
            icon: message.icon,
            tag: message.id, // the same message twice is shown once
            data: { url: message.url },
        })
    );
});

self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    const url = event.notification.data && event.notification.data.url;
    if (url) event.waitUntil(self.clients.openWindow(url));
});
