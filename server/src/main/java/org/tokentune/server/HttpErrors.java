package org.tokentune.server;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;

/** Answers what is no HTTP request, such as one with a broken header, as all other errors. */
final class HttpErrors extends ErrorHandler {

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int code,
      String message,
      Throwable cause,
      Callback callback)
      throws IOException {
    ApiException error =
        code < 500
            ? ApiException.refused(code, "bad_http", "The request is not valid HTTP: %s.", message)
            : ApiException.later(
                code, "internal_error", "The server failed to answer: %s.", message);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
    response.write(
        true, ByteBuffer.wrap(RequestFields.JSON.writeValueAsBytes(error.json())), callback);
  }
}
