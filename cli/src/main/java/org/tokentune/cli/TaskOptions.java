package org.tokentune.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.ChatFormat;
import org.tokentune.datasets.GlueTask;
import org.tokentune.datasets.PromptTemplate;
import org.tokentune.models.Pooling;
import org.tokentune.objectives.Objectives;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for what a model learns. */
final class TaskOptions {

  /** TRL's. */
  static final double DEFAULT_BETA = 0.1;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      defaultValue = "classify",
      converter = Task.Converter.class,
      completionCandidates = Task.Names.class,
      description = {
        "classify: one class for a text; multilabel: any of several; regress: a number;",
        "token: a tag for every word; qa: answers to questions as parts of a text (SQuAD's .json, or",
        "rows with question, context, answer, answer_start); embed: vectors of texts (columns in order:",
        "anchor, positive, negatives; or two texts and a score); rerank: how relevant the second text is",
        "to the first, 0 to 1; mlm: hidden words of plain text, or of the texts in a file of rows; for decoders lm: the next token of plain text, or of the texts in a file",
        "of rows (--text); instruct: answers to instructions (rows with instruction, input, output);",
        "chat: the assistant's turns of conversations (rows with messages, conversations, prompt and",
        "completion, or instruction and output); dpo: preferred answers (rows with prompt, chosen,",
        "rejected, texts or messages). Default ${DEFAULT-VALUE}."
      })
  private Task task;

  @Option(
      names = "--template",
      paramLabel = "NAME",
      description = {
        "How instructions are written: alpaca (default), chatml or plain. Of chat and dpo: a named template of",
        "the model, or chatml, llama3, alpaca or plain; default: the model's own."
      })
  private String template;

  @Option(
      names = "--loss-on",
      paramLabel = "all|last",
      defaultValue = "all",
      description =
          "Of chat: which of the assistant's turns are learned; default ${DEFAULT-VALUE}.")
  private String lossOn;

  @Option(
      names = "--packing",
      description = {
        "Of chat and instruct: put several texts into each row of --max-length tokens (default 1,024, or",
        "as many as the longest has), so that there is little padding. They train as if they were apart:",
        "positions begin anew, and no token attends to another text."
      })
  private boolean packing;

  @Option(
      names = "--beta",
      paramLabel = "B",
      description =
          "Of dpo: how much log-probabilities count; the greater, the nearer the model stays to the"
              + " reference. Default "
              + DEFAULT_BETA
              + ".")
  private Double beta;

  @Option(
      names = "--pooling",
      paramLabel = "first|mean",
      defaultValue = "first",
      description = {
        "The head reads a text's position 0, or the mean of its tokens (in training, of the selected",
        "ones). Default ${DEFAULT-VALUE}."
      })
  private Pooling pooling;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  /** Takes the task that a task of GLUE implies. */
  void take(GlueTask glue) {
    Task own = Task.of(glue.labels().task());
    if (!task.equals(own) && command.commandLine().getParseResult().hasMatchedOption("--task")) {
      throw new BadSettingsException(
          "%s is %s, not %s; leave --task out.", glue.name(), own.name(), task.name());
    }
    task = own;
  }

  Task task() {
    return task;
  }

  PromptTemplate prompts() {
    return template == null
            || task.data() == Task.Data.CHATS
            || task.data() == Task.Data.PREFERENCES
        ? PromptTemplate.ALPACA
        : PromptTemplate.named(template);
  }

  /** The name of a chat template; null for the model's own. */
  String chatTemplate() {
    return template;
  }

  ChatFormat.Learned learned() {
    return ChatModel.learned(lossOn);
  }

  /** Whether several texts are put into a row. */
  boolean packing() {
    return packing;
  }

  /** The beta of preferences. */
  double beta() {
    return beta == null ? DEFAULT_BETA : beta;
  }

  /** Adds the settings of preferences to a result. */
  void put(ObjectNode result) {
    if (task.data() == Task.Data.PREFERENCES) {
      result.put("beta", beta());
    }
  }

  /** Rejects options for other tasks. */
  void check() {
    if (beta != null && task.data() != Task.Data.PREFERENCES) {
      throw new BadSettingsException("--beta is for the task dpo, not for %s.", task.name());
    }
    Objectives.dpo(beta());
    if (packing && task.data() != Task.Data.CHATS && task.data() != Task.Data.INSTRUCTIONS) {
      throw new BadSettingsException(
          "--packing is for the tasks chat and instruct, not for %s%s.",
          task.name(), task.objective() == Objectives.CAUSAL_LM ? ", whose blocks are full" : "");
    }
  }

  Pooling pooling() {
    return pooling;
  }
}
