import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.concurrent.CompletableFuture;

/** Asks servers with langchain4j's OpenAI client: a chat, the same in pieces, and a vector. Arguments: their addresses, and the key. */
public final class ServeClient {

  public static void main(String[] arguments) {
    String chatUrl = arguments[0] + "/v1";
    String key = arguments[2];
    String answer =
        OpenAiChatModel.builder()
            .baseUrl(chatUrl)
            .apiKey(key)
            .modelName("stories260k")
            .temperature(0.0)
            .maxTokens(20)
            .build()
            .chat("Once upon a time");
    CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
    StringBuilder pieces = new StringBuilder();
    OpenAiStreamingChatModel.builder()
        .baseUrl(chatUrl)
        .apiKey(key)
        .modelName("stories260k")
        .temperature(0.0)
        .maxTokens(20)
        .build()
        .chat(
            "Once upon a time",
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String piece) {
                pieces.append(piece);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                streamed.complete(response);
              }

              @Override
              public void onError(Throwable error) {
                streamed.completeExceptionally(error);
              }
            });
    ChatResponse whole = streamed.join();
    int dimensions =
        OpenAiEmbeddingModel.builder()
            .baseUrl(arguments[1] + "/v1")
            .apiKey(key)
            .modelName("all-minilm-l6-v2")
            .build()
            .embed("A man plays a guitar.")
            .content()
            .dimension();
    if (!answer.contentEquals(pieces) || !answer.equals(whole.aiMessage().text()) || dimensions != 384) {
      throw new IllegalStateException(answer + " / " + pieces + " / " + whole + " / " + dimensions);
    }
    System.out.println("langchain4j: " + answer + "; " + whole.tokenUsage() + "; vectors of " + dimensions);
    System.exit(0);
  }
}
