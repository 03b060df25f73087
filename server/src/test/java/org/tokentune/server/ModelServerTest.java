package org.tokentune.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tokentune.BadDataException;
import org.tokentune.BadFileException;
import org.tokentune.BadSettingsException;
import org.tokentune.datasets.Conversation;
import org.tokentune.datasets.Example;
import org.tokentune.datasets.OnLong;
import org.tokentune.formats.ModelFiles;
import org.tokentune.formats.ModelFolder;
import org.tokentune.formats.WeightSource;
import org.tokentune.generate.GenerationSettings;
import org.tokentune.models.WeightStorage;
import org.tokentune.testing.Said;
import org.tokentune.text.LanguageModel;
import org.tokentune.text.SentenceEncoder;
import org.tokentune.text.TextModel;

/** Every endpoint, by HTTP; acceptance/serve.sh asks with the clients of others. */
class ModelServerTest {

  private static final ServerSettings SETTINGS =
      ServerSettings.defaults().withAddress("127.0.0.1", 0);

  @TempDir private Path folder;

  private static ModelServer start(ModelFiles files, ServerSettings settings) {
    return ModelServer.start(files, ServedFiles.named("small"), settings);
  }

  private static String greedy(LanguageModel model, String prompt, int tokens) {
    StringBuilder text = new StringBuilder();
    model.generate(
        prompt, GenerationSettings.greedy(tokens, model.tokenizer().ends()), text::append);
    return text.toString();
  }

  @Test
  void completesPromptsWholeAndInPieces() throws Exception {
    Path decoder = SmallModels.decoder(folder);
    try (ModelFiles files = ModelFolder.open(decoder);
        LanguageModel model = LanguageModel.open(files, null);
        ModelServer server = start(files, SETTINGS)) {
      TestClient client = new TestClient(server);
      String expected = greedy(model, "the good cat", 8);
      JsonNode answer =
          client.ask(
              Paths.COMPLETIONS,
              "{'model': 'small', 'prompt': ['the good cat', 'a bad dog'], 'max_tokens': 8, 'temperature':"
                  + " 0, 'user': 'me'}");
      assertEquals("text_completion", answer.path("object").asText());
      assertEquals(expected, answer.at("/choices/0/text").asText());
      assertEquals(greedy(model, "a bad dog", 8), answer.at("/choices/1/text").asText());
      assertEquals("length", answer.at("/choices/0/finish_reason").asText());
      assertEquals(16, answer.at("/usage/completion_tokens").asInt());
      assertEquals(
          answer.at("/usage/total_tokens").asInt(), 16 + answer.at("/usage/prompt_tokens").asInt());
      String tokens = TestClient.JSON.writeValueAsString(model.promptIds("the good cat"));
      assertEquals(
          expected,
          client
              .ask(
                  Paths.COMPLETIONS,
                  "{'prompt': " + tokens + ", 'max_tokens': 8, 'temperature': 0}")
              .at("/choices/0/text")
              .asText());
      String word = expected.strip().split(" ", -1)[2];
      JsonNode stopped =
          client.ask(
              Paths.COMPLETIONS,
              "{'prompt': 'the good cat', 'max_tokens': 8, 'temperature': 0, 'stop': '"
                  + word
                  + "'}");
      assertEquals(
          expected.substring(0, expected.indexOf(word)), stopped.at("/choices/0/text").asText());
      assertEquals("stop", stopped.at("/choices/0/finish_reason").asText());

      List<JsonNode> events =
          events(
              client.post(
                  Paths.COMPLETIONS,
                  "{'prompt': 'the good cat', 'max_tokens': 8, 'temperature': 0, 'stream': true}"
                      .replace('\'', '"')));
      StringBuilder text = new StringBuilder();
      events.forEach(event -> text.append(event.at("/choices/0/text").asText()));
      assertEquals(expected, text.toString());
      JsonNode last = events.get(events.size() - 1);
      assertEquals("length", last.at("/choices/0/finish_reason").asText());
      assertTrue(events.get(0).at("/choices/0/finish_reason").isNull());
      System.out.printf("completed as %s in %d events%n", expected, events.size());
    }
  }

  private static List<JsonNode> events(HttpResponse<String> response) throws IOException {
    assertEquals(
        "text/event-stream", response.headers().firstValue("Content-Type").get().split(";", 2)[0]);
    List<JsonNode> events = new ArrayList<>();
    String[] lines = response.body().strip().split("\n\n", -1);
    assertEquals("data: [DONE]", lines[lines.length - 1]);
    for (int i = 0; i < lines.length - 1; i++) {
      assertTrue(lines[i].startsWith("data: "), lines[i]);
      events.add(TestClient.JSON.readTree(lines[i].substring("data: ".length())));
    }
    return events;
  }

  @Test
  void answersChatsAsOpenAiDoes() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        LanguageModel model = LanguageModel.open(files, null);
        ModelServer server = start(files, SETTINGS)) {
      TestClient client = new TestClient(server);
      String chat =
          "{'messages': [{'role': 'developer', 'content': 'good'}, {'role': 'user', 'content': [{'type':"
              + " 'text', 'text': 'the cat'}]}], 'max_completion_tokens': 6, 'temperature': 0, 'n': 1";
      JsonNode answer = client.ask(Paths.CHAT_COMPLETIONS, chat + "}");
      assertEquals("chat.completion", answer.path("object").asText());
      assertEquals("assistant", answer.at("/choices/0/message/role").asText());
      String text = answer.at("/choices/0/message/content").asText();
      int[] ids =
          model
              .chats(null)
              .prompt(
                  new Conversation(
                      "a chat",
                      List.of(
                          Map.of("role", "system", "content", "good"),
                          Map.of("role", "user", "content", "the cat")),
                      Map.of()));
      StringBuilder expected = new StringBuilder();
      model.generateFrom(
          ids, GenerationSettings.greedy(6, model.tokenizer().ends()), expected::append);
      assertEquals(expected.toString(), text);
      List<JsonNode> events =
          events(
              client.post(
                  Paths.CHAT_COMPLETIONS,
                  (chat + ", 'stream': true, 'stream_options': {'include_usage': true}}")
                      .replace('\'', '"')));
      assertEquals("assistant", events.get(0).at("/choices/0/delta/role").asText());
      StringBuilder pieces = new StringBuilder();
      events.forEach(event -> pieces.append(event.at("/choices/0/delta/content").asText()));
      assertEquals(text, pieces.toString());
      events.forEach(event -> assertEquals("chat.completion.chunk", event.path("object").asText()));
      JsonNode last = events.get(events.size() - 1);
      assertTrue(last.path("choices").isArray() && last.path("choices").isEmpty());
      assertEquals(answer.path("usage"), last.path("usage"));
      assertTrue(events.get(0).path("usage").isNull());
      System.out.printf("chat: %s in %d events%n", text, events.size());
    }
  }

  @Test
  void embedsAsFloatsAndBytes() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.copy("embed-mean", folder));
        SentenceEncoder encoder = SentenceEncoder.open(files, null);
        ModelServer server = start(files, SETTINGS)) {
      TestClient client = new TestClient(server);
      List<float[]> expected = encoder.embed(List.of("the good cat", "a bad dog with a red hat"));
      String texts = "{'input': ['the good cat', 'a bad dog with a red hat'], 'encoding_format': ";
      JsonNode answer = client.ask(Paths.EMBEDDINGS, texts + "'float'}");
      JsonNode bytes = client.ask(Paths.EMBEDDINGS, texts + "'base64'}");
      for (int i = 0; i < 2; i++) {
        float[] numbers = new float[expected.get(i).length];
        ByteBuffer.wrap(Base64.getDecoder().decode(bytes.at("/data/" + i + "/embedding").asText()))
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(numbers);
        assertArrayEquals(expected.get(i), numbers);
        for (int j = 0; j < numbers.length; j++) {
          assertEquals(numbers[j], answer.at("/data/" + i + "/embedding/" + j).floatValue());
        }
      }
      assertEquals(
          answer.at("/usage/total_tokens").asInt(),
          encoder.embedCounted(List.of("the good cat", "a bad dog with a red hat"), null).stream()
              .mapToInt(SentenceEncoder.Embedded::tokens)
              .sum());
      assertEquals(
          1,
          client.ask(Paths.EMBEDDINGS, "{'input': 'the', 'dimensions': null}").path("data").size());
      assertEquals(
          "400 dimensions: The vectors of small have 32 dimensions, got 8; leave dimensions out.",
          client.refusal(Paths.EMBEDDINGS, "{'input': 'the', 'dimensions': 8}"));
      assertFalse(answer.has("cut"));
      JsonNode cut =
          client.ask(Paths.EMBEDDINGS, "{'input': ['the', '" + "cat ".repeat(60) + "']}");
      assertEquals(0, cut.at("/cut/0").asInt());
      assertEquals(
          encoder.embedCounted(List.of("cat ".repeat(60)), null).get(0).cut(),
          cut.at("/cut/1").asInt());
      assertTrue(cut.at("/cut/1").asInt() > 0, cut.path("cut").toString());
      System.out.println("vectors are those of the encoder; cut: " + cut.path("cut"));
    }
  }

  @Test
  void classifiesAndRanks() throws Exception {
    Path encoder = SmallModels.copy("bert", folder);
    Path ranker = SmallModels.ranker(encoder, folder.resolve("ranker"));
    try (ModelFiles files =
            ModelFolder.open(SmallModels.classifier(encoder, folder.resolve("classifier")));
        TextModel model = TextModel.open(files);
        ModelServer server = start(files, SETTINGS);
        ModelFiles rankerFiles = ModelFolder.open(ranker);
        TextModel rank = TextModel.open(rankerFiles);
        ModelServer other = start(rankerFiles, SETTINGS)) {
      JsonNode answer =
          new TestClient(server)
              .ask(
                  Paths.CLASSIFY,
                  "{'input': ['the good cat', {'text': 'a dog', 'pair': 'a cat'}]}");
      var first = model.predict(List.of("the good cat")).get(0);
      assertEquals(first.labels().get(0), answer.at("/data/0/labels/0").asText());
      first
          .scores()
          .forEach(
              (label, score) ->
                  assertEquals(score, answer.at("/data/0/scores/" + label).asDouble(), 1e-6));
      assertEquals(3, answer.at("/data/1/scores").size());
      JsonNode ranked =
          new TestClient(other)
              .ask(
                  Paths.RERANK,
                  "{'query': 'a cat', 'documents': ['the dog', {'text': 'the cat'}, 'red'], 'top_n': 2,"
                      + " 'return_documents': true}");
      assertEquals(2, ranked.path("results").size());
      double best = ranked.at("/results/0/relevance_score").asDouble();
      assertTrue(best >= ranked.at("/results/1/relevance_score").asDouble());
      String document = ranked.at("/results/0/document/text").asText();
      assertEquals(
          rank.predictRows(List.of(new Example("a cat", document, null)))
              .get(0)
              .scores()
              .values()
              .iterator()
              .next(),
          best,
          1e-6);
      String longText = "cat ".repeat(60);
      JsonNode cut =
          new TestClient(other)
              .ask(Paths.RERANK, "{'query': 'a cat', 'documents': ['red', '" + longText + "']}")
              .path("results");
      for (JsonNode result : cut) {
        assertEquals(result.path("index").asInt() == 1, result.path("cut").asInt() > 0);
      }
      assertTrue(
          new TestClient(server)
                  .ask(Paths.CLASSIFY, "{'input': '" + longText + "'}")
                  .at("/data/0/cut")
                  .asInt()
              > 0);
      System.out.printf("classified as %s, ranked first: %s%n", first.labels(), document);
    }
  }

  @Test
  void adaptersAreModelsOfTheirOwn() throws Exception {
    Path decoder = SmallModels.decoder(folder);
    Path adapter = SmallModels.decoderAdapter(folder);
    ServedFiles both = ServedFiles.named("base").withAdapters(Map.of("tuned", adapter));
    String prompt = "'prompt': 'the good', 'max_tokens': 12, 'temperature': 0}";
    try (ModelFiles files = ModelFolder.open(decoder);
        LanguageModel tuned = LanguageModel.open(files, null);
        ModelServer server = ModelServer.start(files, both, SETTINGS)) {
      tuned.openAdapter(adapter);
      TestClient client = new TestClient(server);
      assertEquals(
          "base tuned",
          String.join(
              " ",
              TestClient.JSON
                  .readTree(client.get(Paths.MODELS).body())
                  .path("data")
                  .findValuesAsText("id")));
      String base = text(client, "{'model': 'base', " + prompt);
      String own = text(client, "{'model': 'tuned', " + prompt);
      assertEquals(greedy(tuned, "the good", 12), own);
      assertNotEquals(base, own);
      assertEquals(base, text(client, "{" + prompt));
      System.out.printf("base: %s; tuned: %s%n", base, own);
    }
    Path encoder = SmallModels.copy("bert", folder);
    Map<String, Path> heads = new LinkedHashMap<>();
    heads.put("mood", SmallModels.classifierAdapter(encoder, "sad", "glad", folder.resolve("a")));
    heads.put("size", SmallModels.classifierAdapter(encoder, "big", "small", folder.resolve("b")));
    try (ModelFiles files = ModelFolder.open(encoder);
        ModelServer server =
            ModelServer.start(files, ServedFiles.named("bert").withAdapters(heads), SETTINGS)) {
      TestClient client = new TestClient(server);
      JsonNode mood = client.ask(Paths.CLASSIFY, "{'model': 'mood', 'input': 'the cat'}");
      JsonNode size = client.ask(Paths.CLASSIFY, "{'model': 'size', 'input': 'the cat'}");
      assertTrue(mood.at("/data/0/scores").has("glad"));
      assertTrue(size.at("/data/0/scores").has("big"));
      WeightSource weights = SharedWeights.of(files).weights();
      String tensor = weights.names().iterator().next();
      assertSame(weights.read(tensor), weights.read(tensor));
    }
  }

  private static String text(TestClient client, String body) throws Exception {
    return client.ask(Paths.COMPLETIONS, body).at("/choices/0/text").asText();
  }

  @Test
  void badRequestsAreRefusedByName() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        ModelServer server = start(files, SETTINGS.withRequestLimits(5000, 30, 20))) {
      TestClient client = new TestClient(server);
      String[][] refused = {
        {"", "400 The body must be a JSON object"},
        {"[1]", "400 The body must be a JSON object"},
        {"{'prompt': 'a',,}", "400 The body is not JSON (line 1)"},
        {"{'prompt': 'a'} x", "400 The body is not JSON"},
        {"{'prompt': 'a', 'prompt': 'b'}", "400 The body is not JSON"},
        {"{}", "400 prompt: prompt is missing"},
        {"{'prompt': 5}", "400 prompt: prompt must be a text, got 5."},
        {"{'prompt': []}", "400 prompt: prompt has 0 texts"},
        {"{'prompt': [1, 'a']}", "400 prompt: prompt must have texts alone"},
        {"{'prompt': [5000]}", "400 The prompt's token 5000 is not among the model's"},
        {
          "{'prompt': '\\ud800'}", "400 prompt: prompt has half a character (\\ud800) at position 0"
        },
        {"{'prompt': 'a', 'model': 'gpt'}", "404 There is no model gpt here; there is small."},
        {"{'prompt': 'a', 'model': 1}", "400 model: model must be a text, got 1."},
        {"{'prompt': 'a', 'max_tokens': 0}", "400 max_tokens: max_tokens must be 1 to 30, got 0."},
        {
          "{'prompt': 'a', 'max_tokens': 31}", "400 max_tokens: max_tokens must be 1 to 30, got 31."
        },
        {"{'prompt': 'a', 'max_tokens': '5'}", "400 max_tokens: max_tokens must be a whole number"},
        {
          "{'prompt': 'a', 'max_tokens': 1e99}", "400 max_tokens: max_tokens must be a whole number"
        },
        {"{'prompt': 'a', 'temperature': -1}", "400 temperature: temperature must be 0.0 to 2.0"},
        {"{'prompt': 'a', 'temperature': NaN}", "400 The body is not JSON"},
        {"{'prompt': 'a', 'top_p': 0}", "400 top_p: top_p must be above 0"},
        {
          "{'prompt': 'a', 'repetition_penalty': 1e300}",
          "400 repetition_penalty: repetition_penalty must be 0.1 to 10.0, got 1.0E300."
        },
        {"{'prompt': 'a', 'stop': '" + "a".repeat(257) + "'}", "400 stop: stop has a text of more"},
        {"{'prompt': 'a', 'n': 2}", "400 n: n is not supported here, got 2; leave it out."},
        {"{'prompt': 'a', 'logprobs': 3}", "400 logprobs: logprobs is not supported here, got 3"},
        {"{'prompt': 'a', 'echo': true}", "400 echo: echo is not supported"},
        {"{'prompt': 'a', 'stop': ['']}", "400 stops: stops has an empty text"},
        {"{'prompt': 'a', 'stream': 1}", "400 stream: stream must be true or false, got 1."},
        {
          "{'prompt': 'a', 'stream_options': {}}",
          "400 stream_options: stream_options is for streams"
        },
        {"{'prompt': 'a', 'tempurature': 1}", "400 tempurature: tempurature is not known here"},
        {"{'prompt': '" + "a cat ".repeat(50) + "'}", "400 The prompt has"},
        {"{'prompt': '" + "a".repeat(6000) + "'}", "413 The body has more than 5000 bytes"},
      };
      for (String[] one : refused) {
        String said = client.refusal(Paths.COMPLETIONS, one[0]);
        assertTrue(said.startsWith(one[1]), one[0] + ": " + said);
      }
      String[][] chats = {
        {"{'messages': []}", "400 messages: messages must be a list"},
        {
          "{'messages': [{'role': 'user'}]}",
          "400 messages[0].content: messages[0].content is missing"
        },
        {"{'messages': [{'role': 'tool', 'content': 'a'}]}", "400 messages[0].role:"},
        {
          "{'messages': [{'role': 'user', 'content': [{'type': 'image_url'}]}]}",
          "400 messages[0].content:"
        },
        {
          "{'messages': [{'role': 'user', 'content': 'a'}], 'tools': [{}]}",
          "400 tools: tools is not supported"
        },
        {
          "{'messages': [{'role': 'user', 'content': 'a'}], 'max_tokens': 3, 'max_completion_tokens': 4}",
          "400 max_tokens: max_tokens is 3 and max_completion_tokens 4"
        },
        {
          "{'messages': [{'role': 'user', 'content': 'a'}], 'response_format': {'type': 'json_object'}}",
          "400 response_format: response_format is not supported"
        },
      };
      for (String own : List.of("messages", "tools", "documents", "add_generation_prompt")) {
        assertEquals(
            "400 chat_template_kwargs: chat_template_kwargs must not have "
                + own
                + ", which the server gives the template; leave it out.",
            client.refusal(
                Paths.CHAT_COMPLETIONS,
                "{'messages': [{'role': 'user', 'content': 'a'}], 'chat_template_kwargs': {'"
                    + own
                    + "': null}}"));
      }
      for (String[] one : chats) {
        String said = client.refusal(Paths.CHAT_COMPLETIONS, one[0]);
        assertTrue(said.startsWith(one[1]), one[0] + ": " + said);
      }
      assertEquals(
          "400 small is a language model, which does not answer /v1/embeddings; it answers"
              + " /v1/chat/completions and /v1/completions.",
          client.refusal(Paths.EMBEDDINGS, "{'input': 'a'}"));
      assertEquals(404, client.get("/v2/models").statusCode());
      assertEquals(405, client.get(Paths.COMPLETIONS).statusCode());
      assertEquals(404, client.get(Paths.MODELS + "/gpt").statusCode());
      assertEquals(200, client.get(Paths.MODELS + "/small").statusCode());
      assertEquals(
          415,
          client
              .send(
                  HttpRequest.newBuilder(client.request(Paths.COMPLETIONS).build().uri())
                      .header("Content-Type", "text/plain")
                      .POST(HttpRequest.BodyPublishers.ofString("{}")))
              .statusCode());
      String afterwards = text(client, "{'prompt': 'the cat', 'max_tokens': 3, 'temperature': 0}");
      System.out.printf(
          "%d bad requests refused by name, then: %s%n", refused.length + chats.length, afterwards);
    }
  }

  @Test
  void aKeyIsAskedForAndNeverShown() throws Exception {
    ServerSettings settings = SETTINGS.withApiKey("secret-1");
    assertFalse(settings.toString().contains("secret"), settings.toString());
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        ModelServer server = start(files, settings)) {
      TestClient client = new TestClient(server);
      for (String path : List.of(Paths.MODELS, Paths.MODELS + "/small", Paths.METRICS)) {
        assertEquals(401, client.get(path).statusCode(), path);
      }
      for (String path :
          List.of(
              Paths.COMPLETIONS,
              Paths.CHAT_COMPLETIONS,
              Paths.EMBEDDINGS,
              Paths.CLASSIFY,
              Paths.RERANK,
              "/v1" + Paths.RERANK)) {
        assertEquals(401, client.post(path, "{}").statusCode(), path);
      }
      HttpResponse<String> wrong =
          client.send(client.request(Paths.MODELS).header("Authorization", "Bearer secret-2"));
      assertEquals(401, wrong.statusCode());
      assertFalse(wrong.body().contains("secret"));
      assertEquals(
          200,
          client
              .send(client.request(Paths.MODELS).header("Authorization", "bearer secret-1"))
              .statusCode());
      assertEquals(200, client.get(Paths.HEALTH).statusCode());
      HttpResponse<String> page = client.get(Paths.PAGE);
      assertTrue(page.body().contains("<title>TokenTune</title>"));
      assertFalse(page.body().contains("http"), "the page asks other servers");
      System.out.println("without the key: 401; the page and /health: 200");
    }
  }

  @Test
  void requestsOfManyClientsGetTheAnswersOfEachAlone() throws Exception {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      texts.add("the" + " good cat".repeat(1 + i % 7) + (i % 2 == 0 ? " and a dog" : ""));
    }
    Path encoder = SmallModels.copy("bert", folder);
    try (ModelFiles files =
            ModelFolder.open(SmallModels.classifier(encoder, folder.resolve("classifier")));
        TextModel model = TextModel.open(files);
        ModelServer server = start(files, SETTINGS.withBatches(8, 100));
        ModelFiles decoderFiles = ModelFolder.open(SmallModels.decoder(folder));
        LanguageModel decoder = LanguageModel.open(decoderFiles, null);
        ModelServer generator = start(decoderFiles, SETTINGS.withBatches(4, 0))) {
      TestClient classes = new TestClient(server);
      TestClient generated = new TestClient(generator);
      ExecutorService pool = Executors.newFixedThreadPool(8);
      List<Future<JsonNode>> classified = new ArrayList<>();
      List<Future<String>> continued = new ArrayList<>();
      for (String text : texts) {
        classified.add(pool.submit(() -> classes.ask(Paths.CLASSIFY, "{'input': '" + text + "'}")));
        continued.add(
            pool.submit(
                () ->
                    text(
                        generated,
                        "{'prompt': '"
                            + text
                            + "', 'max_tokens': 9, 'temperature': 1, 'seed': 4}")));
      }
      for (int i = 0; i < texts.size(); i++) {
        JsonNode scores = classified.get(i).get().at("/data/0/scores");
        model
            .predict(List.of(texts.get(i)))
            .get(0)
            .scores()
            .forEach((label, score) -> assertEquals(score, scores.path(label).asDouble(), 1e-6));
        StringBuilder alone = new StringBuilder();
        decoder.generate(
            texts.get(i),
            new GenerationSettings(1, 0, 1, 4, 9, decoder.tokenizer().ends()),
            alone::append);
        assertEquals(alone.toString(), continued.get(i).get());
      }
      pool.shutdown();
      String metrics = classes.get(Paths.METRICS).body();
      double batches = metric(metrics, "tokentune_batch_texts_count{model=\"small\"}");
      assertEquals(16, metric(metrics, "tokentune_batch_texts_sum{model=\"small\"}"));
      assertEquals(
          16, metric(metrics, "tokentune_requests_total{endpoint=\"/classify\",status=\"200\"}"));
      assertTrue(batches < 16, "nothing ran together");
      System.out.printf("16 texts in %.0f batches, and 16 generated: as alone%n", batches);
    }
  }

  private static double metric(String metrics, String name) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not in " + metrics));
  }

  /** A model of many positions, which generates for seconds. */
  private ModelFiles slow() throws IOException {
    Path decoder = SmallModels.decoder(folder);
    Path config = decoder.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("\"max_position_embeddings\": 40", "\"max_position_embeddings\": 100000")
            .replace("\"eos_token_id\": 2", "\"eos_token_id\": null"));
    return ModelFolder.open(decoder);
  }

  /** Waits for what must happen soon, on however busy a machine. */
  private static void await(String what, Callable<Boolean> happened) throws Exception {
    for (int i = 0; i < 1200; i++) {
      if (happened.call()) {
        return;
      }
      Thread.sleep(50);
    }
    throw new AssertionError(what + " did not happen within a minute");
  }

  private static void awaitUnderWay(TestClient client, int requests) throws Exception {
    await(
        requests + " requests under way",
        () -> metric(client.get(Paths.METRICS).body(), "tokentune_requests_under_way") == requests);
  }

  private static final ServerSettings LONG_TEXTS =
      SETTINGS.withRequestLimits(5000, 100_000, 60).withCacheTokens(100_000);

  private static final String LONG =
      "{\"prompt\": \"the cat\", \"max_tokens\": 100000, \"temperature\": 0%s}";

  private static Socket asking(ModelServer server, String more) throws IOException {
    String body = LONG.formatted(more);
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket
        .getOutputStream()
        .write(
            ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type:"
                    + " application/json\r\nContent-Length: "
                    + body.length()
                    + "\r\n\r\n"
                    + body)
                .getBytes(US_ASCII));
    socket.getOutputStream().flush();
    return socket;
  }

  @Test
  void generationEndsWhenItsClientGoesAway() throws Exception {
    try (ModelFiles files = slow();
        ModelServer server = start(files, LONG_TEXTS)) {
      TestClient client = new TestClient(server);
      for (String more : List.of("", ", \"stream\": true")) {
        try (Socket socket = asking(server, more)) {
          awaitUnderWay(client, 1);
          if (!more.isEmpty()) {
            assertEquals('H', socket.getInputStream().read());
          }
        }
        awaitUnderWay(client, 0);
      }
      try (Socket socket = asking(server, "")) {
        awaitUnderWay(client, 1);
        socket.getOutputStream().write('x'); // instead of waiting for the answer
        String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
        assertTrue(answer.startsWith("HTTP/1.1 499 "), answer);
        assertTrue(answer.contains("Connection: close\r\n"), answer);
      }
      String counter = "tokentune_requests_total{endpoint=\"/v1/completions\",status=\"499\"}";
      await(
          "the count of three clients that went away",
          () -> client.get(Paths.METRICS).body().contains(counter + " 3"));
      System.out.println("three clients went away, and their texts ended");
    }
  }

  @Test
  void requestsThatTakeTooLongAndTooManyAreToldToComeBack() throws Exception {
    try (ModelFiles files = slow();
        ModelServer one = start(files, LONG_TEXTS.withQueue(1));
        ModelServer server = start(files, LONG_TEXTS.withRequestLimits(5000, 100_000, 1))) {
      TestClient other = new TestClient(one);
      try (Socket socket = asking(one, "")) {
        awaitUnderWay(other, 1);
        assertTrue(socket.isConnected());
        HttpResponse<String> refused = other.post(Paths.COMPLETIONS, "{\"prompt\": \"a\"}");
        assertEquals(429, refused.statusCode());
        assertEquals("1", refused.headers().firstValue("Retry-After").orElse("none"));
      }
      TestClient client = new TestClient(server);
      assertEquals(503, client.post(Paths.COMPLETIONS, LONG.formatted("")).statusCode());
      List<String> lines =
          client
              .post(Paths.COMPLETIONS, LONG.formatted(", \"stream\": true"))
              .body()
              .lines()
              .filter(line -> !line.isEmpty())
              .toList();
      assertTrue(
          lines.get(lines.size() - 1).contains("not ready after 1 second"), lines.toString());
      System.out.println("one request too many: 429; one that takes too long: 503");
    }
  }

  @Test
  void eachTextHasItsOwnSeedUnlessTheRequestGivesIt() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        ModelServer server = start(files, SETTINGS)) {
      TestClient client = new TestClient(server);
      String same = "{'prompt': ['the cat', 'the cat'], 'max_tokens': 30, 'temperature': 2";
      JsonNode drawn = client.ask(Paths.COMPLETIONS, same + "}").path("choices");
      assertNotEquals(drawn.path(0).path("text"), drawn.path(1).path("text"));
      JsonNode seeded = client.ask(Paths.COMPLETIONS, same + ", 'seed': 4}").path("choices");
      assertEquals(seeded.path(0).path("text"), seeded.path(1).path("text"));
      JsonNode all = client.ask(Paths.COMPLETIONS, same + ", 'seed': 4, 'top_k': -1}");
      assertEquals(seeded, all.path("choices"));
      client.ask(Paths.COMPLETIONS, same + ", 'top_k': 9999999}"); // more than there are
      System.out.printf("without a seed: %s%n", drawn.findValuesAsText("text"));
    }
  }

  @Test
  void aTextWhoseKeysAreNotHeldIsRefused() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        ModelServer server = start(files, SETTINGS.withCacheTokens(20))) {
      TestClient client = new TestClient(server);
      String refused =
          client.refusal(Paths.COMPLETIONS, "{'prompt': 'the good cat', 'max_tokens': 25}");
      assertTrue(
          refused.startsWith("400 ") && refused.contains("start it with a larger --cache-tokens"),
          refused);
      String chat = "{'messages': [{'role': 'user', 'content': 'the cat'}], 'temperature': 0";
      JsonNode limited = client.ask(Paths.CHAT_COMPLETIONS, chat + "}");
      assertEquals(20, limited.at("/usage/total_tokens").asInt());
      assertEquals("length", limited.at("/choices/0/finish_reason").asText());
      assertTrue(
          client
              .refusal(Paths.CHAT_COMPLETIONS, chat + ", 'max_tokens': 20}")
              .contains("--cache-tokens"));
      System.out.println(refused);
    }
  }

  @Test
  void onlyTheRequestAtFaultIsRefused() throws Exception {
    Path encoder = SmallModels.copy("bert", folder);
    Path decoder = SmallModels.decoder(folder);
    Files.writeString(
        decoder.resolve("chat_template.jinja"),
        "{{ raise_exception('roles must alternate') if messages|length > 1 else messages[0].content }}");
    ServedFiles strict =
        new ServedFiles("small", Map.of(), WeightStorage.FLOAT32, null, OnLong.REFUSE);
    try (ModelFiles files = ModelFolder.open(encoder);
        ModelServer server = ModelServer.start(files, strict, SETTINGS.withBatches(16, 200));
        ModelFiles decoderFiles = ModelFolder.open(decoder);
        ModelServer chats = start(decoderFiles, SETTINGS)) {
      TestClient client = new TestClient(server);
      ExecutorService pool = Executors.newFixedThreadPool(2);
      Future<JsonNode> good =
          pool.submit(() -> client.ask(Paths.CLASSIFY, "{'input': 'the good cat'}"));
      Future<String> bad =
          pool.submit(
              () -> client.refusal(Paths.CLASSIFY, "{'input': '" + "cat ".repeat(300) + "'}"));
      assertEquals(1, good.get().path("data").size());
      assertTrue(bad.get().startsWith("400 "), bad.get());
      pool.shutdown();
      String message = "{'role': 'user', 'content': 'the cat'}";
      String refused =
          new TestClient(chats)
              .refusal(Paths.CHAT_COMPLETIONS, "{'messages': [" + message + ", " + message + "]}");
      assertTrue(refused.startsWith("400 ") && refused.endsWith("roles must alternate"), refused);
      System.out.println(bad.get() + System.lineSeparator() + refused);
    }
  }

  @Test
  void beamSearchOfTheModelIsWarnedOf() throws IOException {
    Path decoder = SmallModels.decoder(folder);
    Files.writeString(decoder.resolve("generation_config.json"), "{\"num_beams\": 4}");
    try (ModelFiles files = ModelFolder.open(decoder)) {
      String said = Said.by(() -> start(files, SETTINGS).close());
      List<String> warnings = said.lines().filter(line -> line.contains("num_beams")).toList();
      assertEquals(1, warnings.size(), said);
      assertTrue(warnings.get(0).contains("asks for beam search (num_beams 4"), said);
      System.out.println(warnings.get(0));
    }
  }

  @Test
  void aDamagedFileIsTheServersFault() {
    assertEquals(500, ModelServer.error(new BadFileException("damaged")).status());
    assertEquals(400, ModelServer.error(new BadDataException("too long")).status());
    assertEquals(400, ModelServer.error(new BadSettingsException("too many")).status());
    System.out.println("a damaged file: 500; data and settings: 400");
  }

  @Test
  void aPortInUseIsOneSentence() throws Exception {
    try (ServerSocket taken = new ServerSocket(0);
        ModelFiles files = ModelFolder.open(SmallModels.decoder(folder))) {
      ServerSettings settings = SETTINGS.withAddress("127.0.0.1", taken.getLocalPort());
      String said =
          assertThrows(BadSettingsException.class, () -> start(files, settings)).getMessage();
      assertEquals(
          "port "
              + taken.getLocalPort()
              + " of 127.0.0.1 cannot be listened on (Address already in use); choose another, or stop"
              + " the program that has it.",
          said);
      System.out.println(said);
    }
  }

  @Test
  void aRequestUnderWayIsAnsweredBeforeTheServerStops() throws Exception {
    try (ModelFiles files = slow()) {
      ModelServer server = start(files, SETTINGS.withRequestLimits(5000, 300, 60));
      TestClient client = new TestClient(server);
      ExecutorService pool = Executors.newSingleThreadExecutor();
      Future<JsonNode> answer =
          pool.submit(
              () ->
                  client.ask(
                      Paths.COMPLETIONS,
                      "{'prompt': 'the cat', 'max_tokens': 300, 'temperature': 0}"));
      awaitUnderWay(client, 1);
      server.close();
      assertEquals(300, answer.get().at("/usage/completion_tokens").asInt());
      assertThrows(IOException.class, () -> client.get(Paths.HEALTH));
      pool.shutdown();
      System.out.println("300 tokens came while the server was stopping");
    }
  }

  @Test
  void otherNamesAndWhatIsNoHttpAreRefused() throws Exception {
    try (ModelFiles files = ModelFolder.open(SmallModels.decoder(folder));
        ModelServer server = start(files, SETTINGS);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket
          .getOutputStream()
          .write(
              "GET /v1/models HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"
                  .getBytes(US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), US_ASCII);
      assertTrue(answer.startsWith("HTTP/1.1 403"), answer);
      try (Socket other = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        other
            .getOutputStream()
            .write("GET /health HTTP/1.1\r\nContent-Length: x\r\n\r\n".getBytes(US_ASCII));
        String broken = new String(other.getInputStream().readAllBytes(), US_ASCII);
        assertTrue(broken.startsWith("HTTP/1.1 400"), broken);
        assertTrue(broken.contains("\"type\":\"invalid_request_error\""), broken);
      }
      System.out.println("a request to another name: 403");
    }
  }
}
