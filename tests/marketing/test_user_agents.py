"""Bots are told by the products of their user agent, not by letters inside other words."""

from __future__ import annotations

import pytest

from marketing.tracking.bots import why_bot

PEOPLE = """
Mozilla/5.0 (Linux; Android 11; CUBOT X30 Build/RP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; CUBOT_POWER Build/PPR1; wv) Version/4.0 Chrome/98.0
Mozilla/5.0 (Linux; Android 13; ROBOTICS R1 Build/TP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 12; Spider X Build/SP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 13; ruby Build/TP1A.220624.014) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 10; Infinix SUPERLITE) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile Safari/537.36
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 SanFrancisco/2.1
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15 Scandinavia/1.0
Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0]
Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)
YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html
Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; Microsoft Outlook 16.0.5134; ms-office; MSOffice 16)
Mozilla/5.0 (Linux; Android 10; Cubot Note 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 12; Botswana Telecom Q1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile Safari/537.36
Mozilla/5.0 (Linux; Android 9; Preview P1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile Safari/537.36
Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21C62 WhatsApp/23.25.85
Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0 Edge/15.15063
Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)
Dalvik/2.1.0 (Linux; U; Android 13; SM-A536B Build/TP1A.220624.014)
Outlook-iOS/729.2402.0
Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.6.0
"""

BOTS = """
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0 Safari/537.36
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) Chrome/W.X.Y.Z Mobile (compatible; GoogleOther)
Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
Slack-ImgProxy (+https://api.slack.com/robots)
TelegramBot (like TwitterBot)
LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
WhatsApp/2.23.20.0 A
Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com
Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)
Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
Mozilla/5.0 (compatible; archive.org_bot +http://www.archive.org/details/archive.org_bot)
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.28 Safari/537.36
Mozilla/5.0 (compatible; Barracuda Sentinel)
Mozilla/5.0 (Windows NT 10.0) Proofpoint URL Defense
python-requests/2.31.0
Python/3.11 aiohttp/3.9.1
python-urllib3/1.26
curl/8.4.0
Wget/1.21.4
Java/17.0.9
okhttp/4.12.0
Go-http-client/2.0
axios/1.6.2
Ruby
BingPreview/1.0b
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0 Safari/537.36 Chrome-Lighthouse
Mozilla/5.0 (compatible; Let's Encrypt validation server; +https://www.letsencrypt.org)
Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.0
Mastodon/4.2.1 (http.rb/5.1.1; +https://mastodon.example/)
Iframely/1.3.1 (+https://iframely.com/docs/about)
got (https://github.com/sindresorhus/got)
Scrapy/2.11.0 (+https://scrapy.org)
PostmanRuntime/7.36.0
HTTPie/3.2.2
Google-HTTP-Java-Client/1.42.3 (gzip)
W3C_Validator/1.3
node
AdsBot-Google (+http://www.google.com/adsbot.html)
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0
"""


@pytest.mark.parametrize("agent", PEOPLE.strip().splitlines())
def test_the_agent_of_a_recipient_is_no_bot(agent: str) -> None:
    assert why_bot(agent) == ""


@pytest.mark.parametrize("agent", BOTS.strip().splitlines())
def test_the_agent_of_a_bot_is_known(agent: str) -> None:
    assert why_bot(agent) == "agent"
