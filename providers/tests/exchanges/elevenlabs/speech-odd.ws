# livekit/agents plugins/elevenlabs/tts.py: snake-case ids, charsStartTimesMs, several characters in one entry, flush_done
# elevenlabs/elevenlabs-python#689: sound without alignment, alignment without sound
> {"text":" ","context_id":"0-0"}
> {"text":"Hi you ","context_id":"0-0","flush":true}
< {"audio":null,"isFinal":null,"context_id":"0-0","alignment":{"chars":["Hi"," "],"charsStartTimesMs":[0,50],"charsDurationsMs":[50,10]}}
< {"audio":"AQAC","context_id":"0-0"}
> {"context_id":"0-0","close_context":true}
< {"type":"flush_done","context_id":"0-0"}
< {"audio":"AAMA","context_id":"0-0","alignment":{"chars":["y"],"charStartTimesMs":[0,1],"charDurationsMs":[10]},"normalizedAlignment":{"chars":["you"],"charStartTimesMs":[0],"charDurationsMs":[30]}}
< {"audio":"/////w==","context_id":"somebody-elses"}
< {"audio":"","context_id":"0-0","alignment":{"chars":["you"],"charStartTimesMs":[0],"charDurationsMs":[30]}}
< {"audio":"BAAF","is_final":true,"context_id":"0-0"}
