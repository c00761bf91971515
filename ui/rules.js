// Settings stay as they are until the server starts again.
whenSeen(async () => { props.value = await server.ask({}) ?? props.value; });
