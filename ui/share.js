// A press on data-link, data-share, data-links or data-upload in any tab. A link is made when somebody asks for it, and
// no page holds it before; here it is kept while this page is open, so that its window shows the same one again.
const links = new Map();  // job -> answer
let open = '', words = {}, said = null, asking = false, copied = false, hand = false, many = null;
const base = location.origin + location.pathname.replace(/[^/]*$/, '');

async function ask(question) {
    const found = await server.ask({...question, base});
    if (!found) throw {problem: words.link_offline};
    if (found.problem) throw found;
    return found;
}

async function fresh(job) {
    const link = await ask({do: 'link', job}), time = new Date(Date.now() + 1000 * link.seconds);
    const until = time.toLocaleString(navigator.language, {dateStyle: 'medium', timeStyle: 'short'});
    links.set(job, {...link, until, ends: performance.now() + 1000 * link.seconds});
    return link;
}

// Puts a text that is still on its way into the clipboard; false where the browser lets nobody. `beside` is where the
// press was: outside of an open window nothing can be selected.
window.heygemCopy = async (wanted, beside) => {
    if (window.isSecureContext && navigator.clipboard) {
        try {  // with the promise itself: Safari takes nothing that comes after the press
            const blob = wanted.then(text => new Blob([text], {type: 'text/plain'}));
            await navigator.clipboard.write([new ClipboardItem({'text/plain': blob})]);
            return true;
        } catch { await wanted; }
    }
    const box = Object.assign(document.createElement('textarea'), {value: await wanted, readOnly: true});
    box.style = 'position: fixed; top: 0; opacity: 0';
    (beside?.closest('dialog') ?? document.body).append(box);
    box.select();
    const done = document.execCommand('copy');
    box.remove();
    beside?.focus();
    return done;
};

async function copy(job, beside) {
    const wanted = open === job && isAlive(job) ? Promise.resolve(links.get(job)) : fresh(job);
    const done = await heygemCopy(wanted.then(link => link.url), beside);
    const link = await wanted;
    if (!done) return show(job, {hand: true});
    if (open === job) {
        copied = true;
        setTimeout(() => { copied = false; render(); }, 2000);
    } else tell({text: words.link_copied, more: [link.kind, ...link.notes].join(' · ')}, link.notes.length ? 6000 : 2000);
    render();
}

async function copyAll(batch, beside) {
    const wanted = ask({do: 'links', batch});
    const done = await heygemCopy(wanted.then(found => found.text), beside);
    const found = await wanted;
    if (done) return tell({text: found.said, more: found.more}, found.more ? 6000 : 2000);
    many = found;
    await render();
    find('.many textarea').select();
}

async function show(job, more = {}) {
    [asking, copied, hand] = [false, false, !!more.hand];
    if (!isAlive(job)) await fresh(job);
    open = job;
    await render();
    if (hand) find('textarea').select();
}

async function press(data, pressed) {
    if ('link' in data) await copy(data.link, pressed);
    else if ('share' in data) await show(data.share);
    else if ('links' in data) await copyAll(data.links, pressed);
    else if ('upload' in data) { await ask({do: 'upload', job: data.upload}); changed(); }
    else if (!element.contains(pressed)) return;
    else if ('copy' in data) await copy(open, pressed);
    else if ('renew' in data) { await fresh(open); hand = false; await render(); changed(); }
    else if ('ask' in data || 'keep' in data) { asking = 'ask' in data; await render(); find(asking ? '[data-keep]' : '[data-ask]').focus(); }
    else if ('revoke' in data) {
        const found = await ask({do: 'revoke', job: data.revoke});
        links.delete(data.revoke);
        find('.share').close();
        tell({text: found.said});
        changed();
    } else if ('close' in data) pressed.closest('dialog').close();
}

const changed = () => window.dispatchEvent(new Event('heygem:delivery'));
const left = link => Math.floor((link.ends - performance.now()) / 1000);
const isAlive = job => links.has(job) && left(links.get(job)) > 0;

function clock(seconds) {
    const pad = n => String(Math.trunc(n)).padStart(2, '0');
    const days = Math.trunc(seconds / 86400);
    const time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(pad).join(':');
    return days ? `${days} ${words.link_days} ${time}` : time;
}

async function render() {
    const link = links.get(open), rest = link ? left(link) : 0;
    const shown = link && {...link, asking, copied, hand, over: rest <= 0, left: clock(Math.max(rest, 0))};
    props.value = {words, said, many, open: open ? shown : null};
    await rendered();
    if (shown) openModal(find('.share:not(.many)'));
    if (many) openModal(find('.many'));
    const toast = find('.said');
    if (said && !toast.matches(':popover-open')) toast.showPopover();
}

function tell(what, time = 4000) {
    if (find('.said').matches(':popover-open')) find('.said').hidePopover();  // comes again above a window that has just opened
    said = what;
    render();
    setTimeout(() => { if (said === what) { said = null; render(); } }, time);
}

document.addEventListener('click', event => {
    if (element.contains(event.target) && isShade(event)) return event.target.close();
    const pressed = event.target.closest('button');
    if (pressed && !pressed.disabled) press(pressed.dataset, pressed).catch(error => tell(error.problem ? error : {problem: String(error)}, 8000));
});
element.addEventListener('close', event => {
    if (event.target.matches('.many')) many = null; else open = '';
    asking = copied = hand = false;
    render();
}, true);
every(1000, () => open && render());

async function begin() {
    const found = await server.ask({});
    if (!found?.words) return setTimeout(begin, 3000);
    words = found.words;
    render();
}
begin();
