const question = {text: ''};
let asked = 0, typing = 0;

async function refresh(more = {}) {
    const mine = ++asked, view = find('.lines');
    const found = await server.ask(question);
    if (!found || mine !== asked) return;
    const below = view.scrollHeight - view.scrollTop - view.clientHeight;  // who reads further up stays there
    props.value = {...props.value, ...found};
    await rendered();
    if (below < 40 || more.end) view.scrollTop = view.scrollHeight;
}

function filter(text) {
    question.text = find('[name=text]').value = text;
    refresh({end: true});
}

async function copy() {
    const text = [...element.querySelectorAll('.record')].map(line => line.innerText.replace(/\s+/g, ' ').trim()).join('\n');
    if (!await heygemCopy(Promise.resolve(exact(text)))) return;
    props.value = {...props.value, copied: true};
    setTimeout(() => { props.value = {...props.value, copied: false}; }, 2000);
}

element.addEventListener('input', event => {
    if (event.target.name !== 'text') return;
    clearTimeout(typing);
    typing = setTimeout(() => filter(event.target.value), 200);
});
element.addEventListener('change', event => event.target.name === 'follow' && event.target.checked && refresh({end: true}));
element.addEventListener('submit', event => event.preventDefault());
element.addEventListener('click', event => {
    const data = event.target.closest('button')?.dataset ?? {};
    if (data.job) filter(data.job);
    if ('copy' in data) copy();
});

every(2000, () => watched() && find('[name=follow]').checked && refresh());
whenSeen(() => refresh({end: true}));
