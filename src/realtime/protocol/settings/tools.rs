//! Functions the model may call. Tools of other kinds are stored and read back only.

use providers::{
    Json,
    llm::{Tool, ToolChoice},
};

use super::{LONGEST_NAME, echoed};
use crate::realtime::{
    protocol::{
        error,
        json::{Field, Fields, Object},
    },
    session::{output::ClientError, settings::Settings},
};

/// Takes the functions, and which of them may be called.
pub(in crate::realtime::protocol) fn apply(settings: &mut Settings, fields: &Fields<'_>) -> Result<(), ClientError> {
    if let Some(list) = fields.given("tools") {
        (settings.tools, settings.foreign_tools) = tools(&list)?;
    }
    if let Some(choice) = fields.given("tool_choice") {
        let (choice, foreign) = tool_choice(&choice)?;
        settings.tool_choice = choice;
        echoed::set(&mut settings.echoed, "tool_choice", foreign);
    }
    must_exist(&settings.tool_choice, &settings.tools, &fields.path_of("tool_choice"))
}

/// A list of tools: functions, and those of other kinds.
pub(in crate::realtime::protocol) fn tools(field: &Field<'_>) -> Result<(Vec<Tool>, Vec<Json>), ClientError> {
    let (mut functions, mut foreign) = (Vec::new(), Vec::new());
    for entry in field.list()? {
        let fields = entry.object()?;
        let is_function = match fields.given("type") {
            Some(kind) => kind.choice(&[("function", true), ("mcp", false)])?,
            None => true,
        };
        if is_function {
            functions.push(function(&fields)?);
        } else {
            fields.required("server_label")?.text_within(LONGEST_NAME)?;
            foreign.push(without_secrets(&fields)?);
        }
    }
    Ok((functions, foreign))
}

/// Whether functions may be called, and the choice itself where it names a tool of another kind.
pub(in crate::realtime::protocol) fn tool_choice(field: &Field<'_>) -> Result<(ToolChoice, Option<Json>), ClientError> {
    if field.is_text() {
        let choice = match field.text()?.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" => ToolChoice::Required,
            other => return Err(error::unsupported(field.path(), other, ["auto", "none", "required"])),
        };
        return Ok((choice, None));
    }
    let fields = field.object()?;
    if fields.required("type")?.choice(&[("function", true), ("mcp", false)])? {
        // Some write it as other APIs do, the name inside `function`.
        let inside = fields.given("function").map(|function| function.object()).transpose()?;
        let name = inside.as_ref().unwrap_or(&fields).required("name")?.text_within(LONGEST_NAME)?;
        Ok((ToolChoice::Function(name), None))
    } else {
        fields.required("server_label")?.text()?;
        Ok((ToolChoice::Auto, Some(field.json()?)))
    }
}

/// Refuses the choice of a function that is not there to be called: no model could obey it. `param` is what to mend.
pub(in crate::realtime::protocol) fn must_exist(
    choice: &ToolChoice,
    tools: &[Tool],
    param: &str,
) -> Result<(), ClientError> {
    match choice {
        ToolChoice::Function(name) if tools.iter().all(|tool| tool.name != *name) => {
            let message = format!("Tool choice '{}' not found in 'tools'.", error::excerpt(name));
            Err(error::invalid_value(param, message))
        }
        ToolChoice::Function(_) | ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => Ok(()),
    }
}

pub(in crate::realtime::protocol) fn write(settings: &Settings, object: &mut Object<'_>) {
    let functions = settings.tools.iter().map(Ok);
    let foreign = settings.foreign_tools.iter().map(Err);
    object.list("tools", functions.chain(foreign), |tool, out| match tool {
        Ok(Tool { name, description, parameters }) => {
            let mut tool = Object::open(out);
            tool.text("type", "function");
            tool.text("name", name);
            tool.text("description", description);
            tool.json("parameters", parameters);
        }
        Err(foreign) => out.push_str(foreign.as_str()),
    });
    if let Some(foreign) = echoed::get(&settings.echoed, "tool_choice") {
        return object.json("tool_choice", foreign);
    }
    match &settings.tool_choice {
        ToolChoice::Auto => object.text("tool_choice", "auto"),
        ToolChoice::None => object.text("tool_choice", "none"),
        ToolChoice::Required => object.text("tool_choice", "required"),
        ToolChoice::Function(name) => object.object("tool_choice", |object| {
            object.text("type", "function");
            object.text("name", name);
        }),
    }
}

fn function(fields: &Fields<'_>) -> Result<Tool, ClientError> {
    let name = fields.required("name")?;
    let parameters = match fields.given("parameters") {
        Some(schema) => schema.json_object()?,
        None => Json::from_checked(r#"{"type":"object","properties":{}}"#),
    };
    let tool = Tool {
        name: name.text_within(LONGEST_NAME)?,
        description: fields.text("description")?.unwrap_or_default(),
        parameters,
    };
    if tool.name.is_empty() { Err(name.invalid("A function's name is not empty.")) } else { Ok(tool) }
}

/// The tool without what it would log in with: it is not served, and whoever reads the session need not learn it.
fn without_secrets(fields: &Fields<'_>) -> Result<Json, ClientError> {
    let mut text = String::new();
    {
        let mut tool = Object::open(&mut text);
        for (name, field) in fields.iter().filter(|(name, _)| !matches!(*name, "authorization" | "headers")) {
            tool.json(name, &field.json()?);
        }
    }
    Ok(Json::from_checked(text))
}
