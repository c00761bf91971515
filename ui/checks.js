// What a press on a channel brought stays beside it until the next one.
const said = {}, sending = new Set();

async function refresh(question = {}) {
    if (question.channel) { delete said[question.channel]; sending.add(question.channel); render(props.value); }
    const found = await server.ask(question);
    sending.delete(question.channel);
    if (found?.said) said[found.said.channel] = found.said;
    render({...props.value, ...(found && {problem: '', ...found})});
    if (props.value.going) setTimeout(refresh, 700);
}

function render(value) {
    const channels = value.channels?.map(one => ({...one, said: said[one.name], sending: sending.has(one.name)}));
    props.value = {...value, channels};
}

element.addEventListener('click', event => {
    const {do: wanted, channel} = event.target.closest('button')?.dataset ?? {};
    if (wanted) refresh({do: wanted, channel});
});
whenSeen(refresh);
