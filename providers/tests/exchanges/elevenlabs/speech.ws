# https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input
> {"text":" ","context_id":"0-0","voice_settings":{"speed":1.0}}
> {"text":"Hi there. ","context_id":"0-0","flush":true}
< {"audio":"AAABAAIAAwA=","isFinal":null,"contextId":"0-0","alignment":{"chars":["H","i"," ","t","h"],"charStartTimesMs":[0,50,100,150,200],"charDurationsMs":[50,50,50,50,50]},"normalizedAlignment":null}
> {"context_id":"0-0","close_context":true}
> {"text":" ","context_id":"1-1"}
> {"text":"How are you? ","context_id":"1-1","flush":true}
< {"audio":"CgALAA==","isFinal":null,"contextId":"1-1","alignment":{"chars":["H","o","w"," ","a","r","e"," ","y","o","u","?"," "],"charStartTimesMs":[0,10,20,30,40,50,60,70,80,90,100,110,120],"charDurationsMs":[10,10,10,10,10,10,10,10,10,10,10,10,10]},"normalizedAlignment":null}
> {"context_id":"1-1","close_context":true}
< {"audio":"BAAFAA==","isFinal":null,"contextId":"0-0","alignment":{"chars":["e","r","e","."," "],"charStartTimesMs":[0,50,100,150,200],"charDurationsMs":[50,50,50,50,50]},"normalizedAlignment":null}
< {"isFinal":true,"contextId":"0-0"}
< {"audio":"DAA=","isFinal":null,"contextId":"1-1","alignment":null,"normalizedAlignment":null}
< {"isFinal":true,"contextId":"1-1"}
> close
