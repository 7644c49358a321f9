use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    Json,
    llm::Tool,
    passage::tests::passage,
    scripted::{self, RealtimeScript, Reply},
    tool::{ActState, Offered, Proposal},
    tts::Voice,
};

/// Finds a passage, or nothing for as long as anybody waits.
#[derive(Default)]
struct Shelf {
    left: AtomicUsize,
}

impl Toolbox for Shelf {
    fn offered(&self) -> BoxFuture<'_, Vec<Offered>> {
        let tool = |name: &str| {
            let parameters = Json::from_checked("{}");
            let tool = Tool { name: name.to_owned(), description: String::new(), parameters };
            Offered { tool, writes: name == "write", confidential: name == "secret" }
        };
        async move { ["find", "hang", "write", "secret"].map(tool).to_vec() }.boxed()
    }

    fn run<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Ran> {
        async move {
            match &*call.name {
                "find" => Ran { passages: vec![passage("B", "Snow falls.")], ..Ran::done("Found B.") },
                "hang" => {
                    let _left = Left(&self.left);
                    std::future::pending().await
                }
                other => panic!("{other} is not run"),
            }
        }
        .boxed()
    }

    fn propose<'a>(&'a self, _: &'a Call, _: Option<&'a str>) -> BoxFuture<'a, Result<Proposal, String>> {
        panic!("nothing is proposed")
    }

    fn confirmed<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Ran> {
        panic!("nothing was agreed to")
    }
}

/// Counts the futures that were dropped.
struct Left<'a>(&'a AtomicUsize);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn manner() -> Manner {
    Manner {
        instructions: String::new(),
        aside: None,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        voice: Some(Voice { name: "tone".into(), language: None, speed: 1.0 }),
        max_output_tokens: None,
    }
}

/// A conversation with a model that says this, reply by reply.
struct Scene {
    model: scripted::RealtimeModel,
    shelf: Arc<Shelf>,
    commands: mpsc::Sender<Command>,
    events: EventStream,
}

impl Scene {
    async fn new(replies: Vec<Reply>) -> Self {
        let word = Duration::from_millis(100);
        let model = scripted::RealtimeModel::new(RealtimeScript { replies, word, ..RealtimeScript::default() });
        let shelf = Arc::<Shelf>::default();
        let toolbox = Arc::clone(&shelf) as Arc<dyn Toolbox>;
        let equipped = Equipped::<dyn RealtimeModel>::new(Arc::new(model.clone()), Some(toolbox));
        let (commands, told) = mpsc::channel(64);
        let opening = Opening { model: None, manner: manner(), history: Vec::new() };
        let events = equipped.converse(opening, ReceiverStream::new(told).boxed()).await.unwrap();
        Self { model, shelf, commands, events }
    }

    async fn say(&self, command: Command) {
        self.commands.send(command).await.unwrap();
    }

    async fn respond(&self, reply: u64) {
        self.say(Command::Respond { reply, manner: Box::new(manner()) }).await;
    }

    /// What the session hears up to the end of this reply.
    async fn hears(&mut self, reply: u64) -> Vec<Step> {
        let mut steps = Vec::new();
        loop {
            let event = self.events.next().await.unwrap().unwrap();
            assert_eq!(event.reply, reply);
            let over = matches!(event.step, Step::Thought(Thought::Finished(_)) | Step::Failed(_));
            steps.push(event.step);
            if over {
                return steps;
            }
        }
    }

    /// What the model was told, but for the tools.
    fn told(&self) -> Vec<Command> {
        self.model.conversations().remove(0).commands
    }
}

fn calls(text: &str, name: &str) -> Reply {
    Reply::Call { text: text.into(), name: name.into(), arguments: "{}".into() }
}

fn words(steps: &[Step]) -> String {
    let said = steps
        .iter()
        .filter_map(|step| if let Step::Thought(Thought::Text(text)) = step { Some(&**text) } else { None });
    said.collect()
}

fn acts(steps: &[Step]) -> Vec<(&str, ActState)> {
    let acts = steps.iter().filter_map(|step| {
        if let Step::Thought(Thought::Acted(act)) = step { Some((&*act.call.name, act.state)) } else { None }
    });
    acts.collect()
}

fn results(commands: &[Command]) -> Vec<&str> {
    let results = commands.iter().filter_map(|command| {
        if let Command::Add(Message::Result { output, .. }) = command { Some(&**output) } else { None }
    });
    results.collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_call_found_is_told_and_the_model_goes_on_within_the_same_reply() {
    let mut scene = Scene::new(vec![calls("Let me look.", "find"), Reply::Text("It snows.".into())]).await;
    scene.respond(7).await;
    let steps = scene.hears(7).await;
    assert_eq!((words(&steps), acts(&steps)), ("Let me look.It snows.".into(), vec![("find", ActState::Done)]));
    assert!(steps.iter().any(|step| matches!(step, Step::Sound(_))));
    let opening = scene.model.conversations().remove(0).opening;
    let offered: Vec<_> = opening.manner.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(offered, ["find", "hang"], "what writes and what is confidential is not");
    let told = scene.told();
    let [result] = results(&told)[..] else { panic!("{told:?}") };
    assert!(result.contains("\"B\":\n> Snow falls.") && !result.contains("[1]"), "{result}");
    // Three words at 100 ms were heard before the call: of what followed 50 ms.
    scene.say(Command::Truncate(Duration::from_millis(350))).await;
    scene.respond(8).await;
    scene.hears(8).await;
    let truncated = scene.told().into_iter().find(|command| matches!(command, Command::Truncate(_)));
    assert_eq!(truncated, Some(Command::Truncate(Duration::from_millis(50))));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_cancelled_while_a_tool_runs_is_over_and_the_next_one_is_heard() {
    let mut scene = Scene::new(vec![calls("", "hang"), Reply::Text("Yes?".into())]).await;
    scene.respond(1).await;
    while let Ok(event) = tokio::time::timeout(Duration::from_secs(1), scene.events.next()).await {
        let step = event.unwrap().unwrap().step;
        assert!(matches!(step, Step::Thought(Thought::Usage(_))), "{step:?}");
    }
    scene.say(Command::Cancel).await;
    scene.respond(2).await;
    assert_eq!(words(&scene.hears(2).await), "Yes?");
    assert_eq!(scene.shelf.left.load(Ordering::Relaxed), 1, "nobody works on it any more");
    assert_eq!(results(&scene.told()), ["Error: nobody waits for it any more"]);
}

#[tokio::test(start_paused = true)]
async fn functions_of_the_client_pass_and_end_the_reply() {
    let mut scene = Scene::new(vec![calls("One moment.", "theirs")]).await;
    scene.respond(1).await;
    let steps = scene.hears(1).await;
    assert!(
        steps.iter().any(|step| matches!(step, Step::Thought(Thought::CallStarted { name, .. }) if name == "theirs"))
    );
    assert_eq!(results(&scene.told()), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_function_that_the_client_names_later_is_its_own_from_then_on() {
    let mut scene = Scene::new(vec![calls("", "find"), Reply::Text("Snow.".into()), calls("", "find")]).await;
    scene.respond(1).await;
    assert_eq!(acts(&scene.hears(1).await).len(), 1);
    let theirs = Tool { name: "find".into(), description: String::new(), parameters: Json::from_checked("{}") };
    let manner = Manner { tools: vec![theirs], ..manner() };
    scene.say(Command::Respond { reply: 2, manner: Box::new(manner) }).await;
    let steps = scene.hears(2).await;
    assert!(acts(&steps).is_empty() && steps.iter().any(|step| matches!(step, Step::Thought(Thought::CallDone))));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_never_has_enough_has_to_answer_with_what_it_has() {
    let mut scene = Scene::new((0..9).map(|_| calls("", "find")).collect()).await;
    scene.respond(1).await;
    let steps = scene.hears(1).await;
    assert_eq!(acts(&steps).len(), MOST_ROUNDS + 1);
    let choices: Vec<_> = scene
        .told()
        .into_iter()
        .filter_map(
            |command| {
                if let Command::Respond { manner, .. } = command { Some(manner.tool_choice) } else { None }
            },
        )
        .collect();
    assert_eq!((choices.len(), choices.last()), (MOST_ROUNDS + 1, Some(&ToolChoice::None)));
}
